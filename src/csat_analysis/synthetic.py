"""Which made-up surveys can a newcomer try, and what is the truth behind them?

Every customer of a demo survey holds an opinion on every item before anybody is
asked. Only some of them receive a form, only some of those send it back, and a few
forms are filled in badly. Because the opinions are known, the figures of a report
can be held against the truth. Nothing here is about real people or firms.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

CUTS = {5: (0.9, 0.0, -0.6, -1.2), 3: (0.0, -0.9)}  # above 0 counts as satisfied
SHARED_FEELING = 0.6  # variance of one opinion that all items of a form share
LASTING_FEELING = 0.6  # part of the shared feeling that lasts from period to period
COMMENTING = 0.15  # share of the answered forms that bring a comment


@dataclass(frozen=True)
class Fault:
    """One spoiled cell: `form` counts the forms with an answer, from 0."""

    form: int
    column: str
    value: str


@dataclass(frozen=True)
class Truth:
    """All that decides one survey: what people think, who answers, what goes wrong.

    Examples
    --------
    >>> SURVEYS[0].project, SURVEYS[0].period, SURVEYS[0].satisfaction
    ('yuanya', '2022', 0.8)
    """

    project: str
    period: str
    seed: int  # the same for all periods of a project: the same customers
    by: str  # the column that holds the stratum
    strata: Mapping[str, tuple[int, float]]  # customers, share satisfied (headline)
    segments: Mapping[str, tuple[float, float]]  # share of customers, shift (probits)
    items: Mapping[str, float]  # shift against the headline item, in probits
    levels: tuple[str, ...]  # as written in the file, best first
    channels: tuple[str, ...]
    praise: tuple[str, ...]  # comments of the satisfied
    blame: tuple[str, ...]  # comments of the others
    distribution_rate: float  # distributed / frame
    return_rate: float  # returned / distributed
    blank_share: float  # blank / distributed
    nonresponse: float  # return rate of the satisfied minus that of the others
    headline: str = "overall"
    encoding: str = "utf-8"
    faults: tuple[Fault, ...] = ()
    repeated: tuple[int, ...] = ()  # forms that are entered a second time, at the end
    complaints: tuple[tuple[str, str], ...] = ()  # class of content, description
    shipments: int = 0

    @property
    def size(self) -> int:
        """Return the number of customers in the frame."""
        return sum(size for size, _ in self.strata.values())

    @property
    def satisfaction(self) -> float:
        """Return the share of the whole frame that is satisfied on the headline."""
        return sum(round(size * share) for size, share in self.strata.values()) / self.size

    @property
    def expected_satisfaction(self) -> float:
        """Return the share to expect among the answered forms.

        Notes
        -----
        p + p (1 - p) d / r: the truth p, moved by the difference d between the return
        rates of the satisfied and of the others, where r is the return rate of all.
        """
        p = self.satisfaction
        return p + p * (1 - p) * self.nonresponse / self.return_rate


def frame(truth: Truth) -> pd.DataFrame:
    """Return the customer file: customer_id, the stratum and, if any, the segment."""
    stratum = [name for name, (size, _) in truth.strata.items() for _ in range(size)]
    people = pd.DataFrame({truth.by: stratum})
    people.insert(0, "customer_id", [f"C{i:04d}" for i in range(1, truth.size + 1)])
    if truth.segments:
        share = [share for share, _ in truth.segments.values()]
        rng = stream(truth, "segments")
        people["segment"] = rng.choice(list(truth.segments), truth.size, p=share)
    return people


def opinions(truth: Truth) -> pd.DataFrame:
    """Return what everybody in the frame thinks: customer_id and a level per item.

    Notes
    -----
    A latent opinion is a feeling common to all items of a form plus something of the
    item's own. It is turned into normal scores within each stratum, so that the frame
    holds exactly the declared share of satisfied customers, and cut into levels.
    """
    people = frame(truth)
    rng = stream(truth, truth.period, "opinions")
    lasting = stream(truth, "feeling").standard_normal(truth.size)
    feeling = mix(lasting, rng.standard_normal(truth.size), LASTING_FEELING)
    if truth.segments:
        feeling += people["segment"].map({k: shift for k, (_, shift) in truth.segments.items()})
    place = people[truth.by].map({k: norm.ppf(share) for k, (_, share) in truth.strata.items()})
    answers = people[["customer_id"]].copy()
    for item, shift in truth.items.items():
        latent = mix(feeling, rng.standard_normal(truth.size), SHARED_FEELING)
        score = normal_scores(pd.Series(latent), people[truth.by])
        answers[item] = cut(score + place + shift, truth.levels)
    return answers


def satisfied(answers: pd.Series, levels: tuple[str, ...]) -> pd.Series:
    """Return for each answer whether its level counts as satisfied.

    Examples
    --------
    >>> satisfied(pd.Series(["good", "fair", ""]), ("good", "fair", "bad")).tolist()
    [True, False, False]
    """
    return answers.isin(levels[: CUTS[len(levels)].index(0.0) + 1])


def survey(truth: Truth) -> dict[str, pd.DataFrame]:
    """Return the tables of one survey by name, all cells as text.

    Notes
    -----
    `frame`, `distribution` and `responses` always; `complaints` and `deliveries` where
    something is shipped.
    """
    people, thoughts = frame(truth), opinions(truth)
    sent = distribution(people, satisfied(thoughts[truth.headline], truth.levels), truth)
    forms = responses(sent, thoughts, truth)
    tables = {"frame": people, "distribution": sent, "responses": spoil(forms, truth)}
    if truth.shipments:
        tables |= {"complaints": complaints(people, truth), "deliveries": deliveries(people, truth)}
    return tables


def write(root: str | Path) -> list[Path]:
    """Write the tables of all demo surveys below `root`/data and return their paths."""
    paths = []
    for truth in SURVEYS:
        folder = Path(root) / "data" / truth.project / truth.period
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in survey(truth).items():
            path = folder / f"{name}.csv"
            table.to_csv(path, index=False, encoding=truth.encoding, lineterminator="\n")
            paths.append(path)
    return paths


def stream(truth: Truth, *purpose: str) -> np.random.Generator:
    """Return the random numbers of one purpose, untouched by those of any other."""
    return np.random.default_rng([truth.seed, *" ".join(purpose).encode()])


def mix(common: np.ndarray, own: np.ndarray, share: float) -> np.ndarray:
    """Return common and own part added so that `share` of the variance is common."""
    return np.sqrt(share) * common + np.sqrt(1 - share) * own


def normal_scores(latent: pd.Series, stratum: pd.Series) -> pd.Series:
    """Return the standard normal quantile of each value's rank within its stratum."""
    groups = latent.groupby(stratum)
    rank, size = groups.rank(method="first"), groups.transform("size")
    return pd.Series(norm.ppf((rank - 0.5) / size), index=latent.index)


def cut(latent: pd.Series, levels: tuple[str, ...]) -> np.ndarray:
    """Return the level of each latent opinion, the first where it exceeds all cuts."""
    position = np.searchsorted(-np.array(CUTS[len(levels)]), -latent.to_numpy())
    return np.array(levels, dtype=object)[position]


def chosen(rng: np.random.Generator, chance: np.ndarray) -> np.ndarray:
    """Return who is chosen: each by the chance given, in all exactly as many as expected.

    References
    ----------
    Ohlsson, E. (1998). Sequential Poisson sampling. Journal of Official Statistics
    14(2), 149-162.
    """
    order = np.argsort(rng.random(len(chance)) / chance, kind="stable")
    return np.isin(np.arange(len(chance)), order[: round(chance.sum())])


def dates(rng: np.random.Generator, first: pd.Timestamp, last: pd.Timestamp, n: int) -> list[str]:
    """Return n days between first and last, in order, as text."""
    days = np.sort(rng.integers(0, (last - first).days + 1, n))
    return list((first + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d"))


def sent_on(period: str) -> pd.Timestamp:
    """Return the first day of the last month but one.

    Examples
    --------
    >>> sent_on("2024").date().isoformat(), sent_on("2024Q3").date().isoformat()
    ('2024-11-01', '2024-08-01')
    """
    return (pd.Period(period).asfreq("M", how="end") - 1).start_time


def distribution(people: pd.DataFrame, pleased: pd.Series, truth: Truth) -> pd.DataFrame:
    """Return one row per form that is handed out, with what became of it."""
    rng = stream(truth, truth.period, "distribution")
    reached = chosen(rng, np.full(truth.size, truth.distribution_rate))
    sent = people.loc[reached, ["customer_id", truth.by]].reset_index(drop=True)
    sent.insert(0, "form_id", [f"{truth.period}-{i:04d}" for i in range(1, len(sent) + 1)])
    sent["channel"] = rng.choice(truth.channels, len(sent))
    sent["sent_on"] = sent_on(truth.period).strftime("%Y-%m-%d")
    tilt = pleased[reached].to_numpy() - pleased[reached].mean()
    back = chosen(rng, truth.return_rate + truth.nonresponse * tilt)
    lost = rng.choice(["not_contacted", "refused", "outstanding", "ineligible"], len(sent),
                      p=[0.5, 0.3, 0.1, 0.1])  # fmt: skip
    sent["disposition"] = np.where(back, "returned", lost)
    return sent


def responses(sent: pd.DataFrame, thoughts: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return the returned forms as they were filled in, the blank ones among them."""
    rng = stream(truth, truth.period, "responses")
    forms = sent.loc[sent["disposition"] == "returned", ["form_id", "customer_id", truth.by]]
    start = sent_on(truth.period)
    days = dates(rng, start + pd.Timedelta(days=3), start + pd.Timedelta(days=40), len(forms))
    forms = forms.assign(received_on=rng.permutation(days)).merge(thoughts, on="customer_id")
    pleased = satisfied(forms[truth.headline], truth.levels)
    words = np.where(pleased, rng.choice(truth.praise, len(forms)), rng.choice(truth.blame, len(forms)))
    forms["comment"] = np.where(rng.random(len(forms)) < COMMENTING, words, "")
    blank = chosen(rng, np.full(len(forms), truth.blank_share * len(sent) / len(forms)))
    forms.loc[blank, [*truth.items, "comment"]] = ""
    return forms


def spoil(forms: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return the forms with the declared faults in them, repeated forms at the end."""
    answered = forms.index[(forms[list(truth.items)] != "").any(axis=1)]
    spoiled = forms.copy()
    for fault in truth.faults:
        spoiled.loc[answered[fault.form], fault.column] = fault.value
    again = spoiled.loc[answered[list(truth.repeated)]]
    return pd.concat([spoiled, again], ignore_index=True)


def complaints(people: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return one row per complaint, received at some time in the period."""
    rng, period = stream(truth, truth.period, "complaints"), pd.Period(truth.period)
    n = len(truth.complaints)
    return pd.DataFrame({
        "complaint_id": [f"TS-{truth.period}-{i:02d}" for i in range(1, n + 1)],
        "received_on": dates(rng, period.start_time, period.end_time, n),
        "channel": rng.choice(["电话", "传真", "邮件"], n),
        "content": [content for content, _ in truth.complaints],
        "customer_id": rng.choice(people["customer_id"], n),
        "description": [description for _, description in truth.complaints],
    })  # fmt: skip


def deliveries(people: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return one row per shipment of the period."""
    rng, period = stream(truth, truth.period, "deliveries"), pd.Period(truth.period)
    n = truth.shipments
    return pd.DataFrame({
        "delivery_id": [f"FH-{truth.period}-{i:03d}" for i in range(1, n + 1)],
        "delivered_on": dates(rng, period.start_time, period.end_time, n),
        "customer_id": rng.choice(people["customer_id"], n),
    })  # fmt: skip


def ordinary_faults(period: str, first: str, second: str, third: str) -> tuple[Fault, ...]:
    """Return the slips that every pile of forms holds, placed in the three items named."""
    return (
        Fault(2, second, "非常好"),
        Fault(4, "received_on", f"{period[:4]}-13-45"),
        Fault(6, third, "not_applicable"),
        *(Fault(form, item, "") for form, item in [(8, first), (9, third), (15, second), (15, third), (18, third)]),
        Fault(11, "comment", "师傅上门很快,<b>谢谢</b>"),
        Fault(13, "comment", "<script>alert(1)</script>"),
    )


AGREEMENT = ("很满意", "满意", "一般", "不满意", "很不满意")
AGREEMENT_IDS = ("very_satisfied", "satisfied", "fair", "dissatisfied", "very_dissatisfied")
HOUSEHOLDS = {"业主": (0.75, 0.0), "租户": (0.25, -0.4)}

YUANYA_2022 = Truth(
    project="yuanya", period="2022", seed=2022, by="building", levels=AGREEMENT, segments=HOUSEHOLDS,
    strata={"1号楼": (50, 0.88), "2号楼": (50, 0.84), "3号楼": (50, 0.82),
            "4号楼": (50, 0.80), "5号楼": (50, 0.76), "6号楼": (50, 0.70)},
    items={"safety": 0.15, "environment": -0.05, "repairs": -0.5, "other": 0.0, "overall": 0.0},
    distribution_rate=0.93, return_rate=0.87, blank_share=0.015, nonresponse=0.04,
    faults=ordinary_faults("2022", "safety", "environment", "repairs"), repeated=(20,),
    channels=("上门", "微信", "信箱"), encoding="gb18030",
    praise=("保安很负责,晚上巡逻让人放心", "保洁阿姨很认真,楼道干净", "管家态度好,有问必答",
            "总体不错,继续保持"),
    blame=("电梯经常停,报修两天才来人", "停车位不够,外来车辆多", "楼下垃圾清运太晚,夏天有味道",
           "报修后没有人回访"),
)  # fmt: skip
YUANYA_2023 = replace(
    YUANYA_2022, period="2023", levels=AGREEMENT_IDS, encoding="utf-8",
    strata={"1号楼": (50, 0.90), "2号楼": (50, 0.88), "3号楼": (50, 0.86),
            "4号楼": (50, 0.86), "5号楼": (50, 0.82), "6号楼": (50, 0.78)},
    items={**YUANYA_2022.items, "repairs": -0.35}, distribution_rate=0.95, return_rate=0.88,
    faults=ordinary_faults("2023", "safety", "environment", "repairs"),
)  # fmt: skip
YUANYA_2024 = replace(
    YUANYA_2022, period="2024", encoding="utf-8-sig",
    strata={"1号楼": (50, 0.96), "2号楼": (50, 0.94), "3号楼": (50, 0.92),
            "4号楼": (50, 0.90), "5号楼": (50, 0.88), "6号楼": (50, 0.86)},
    items={**YUANYA_2022.items, "repairs": -0.15}, distribution_rate=0.96, return_rate=0.90,
    faults=ordinary_faults("2024", "safety", "environment", "repairs"),
)  # fmt: skip
LANTING_2024 = replace(
    YUANYA_2024, project="lanting", seed=6, encoding="utf-8",
    strata={"A座": (80, 0.80), "B座": (50, 0.82), "C座": (50, 0.74)},
    distribution_rate=0.94, return_rate=0.84,
)  # fmt: skip
HENGXIN_2024Q3 = Truth(
    project="hengxin", period="2024Q3", seed=8, by="segment", segments={},
    levels=("很满意", "一般", "不满意"), strata={"经销商": (40, 0.60), "工程商": (24, 0.75)},
    headline="product", items={"product": 0.0, "delivery": -0.3, "service": 0.2, "packaging": 0.1},
    distribution_rate=0.95, return_rate=0.60, blank_share=0.02, nonresponse=0.10,
    faults=ordinary_faults("2024Q3", "service", "packaging", "delivery"), repeated=(20,),
    channels=("传真", "邮件", "业务员"), shipments=92,
    praise=("质量稳定,合作愉快", "业务员响应及时", "包装结实,到货完好"),
    blame=("交货期比合同晚了一周", "希望缩短供货周期", "部分产品外壳有划痕"),
    complaints=(
        ("产品质量", "断路器外壳开裂两只,要求更换"),
        ("服务质量", "到货比合同约定晚五天,工地停工"),
        ("服务质量", "发货数量与清单不符,少一箱"),
    ),
)  # fmt: skip
HENGXIN_2024Q4 = replace(
    HENGXIN_2024Q3, period="2024Q4", strata={"经销商": (40, 0.70), "工程商": (24, 0.75)},
    items={**HENGXIN_2024Q3.items, "delivery": -0.1}, distribution_rate=0.97, return_rate=0.47, shipments=88,
    complaints=(
        ("产品质量", "接触器噪声大,要求检测"),
        ("服务质量", "年底交货延误三天"),
        ("服务质量", "技术资料未随货到达"),
        ("服务态度", "电话咨询时客服不耐烦"),
    ),
)  # fmt: skip
YUNTING_2024 = Truth(
    project="yunting", period="2024", seed=260, by="phase", levels=AGREEMENT,
    segments={"已入住": (0.6, 0.0), "待入住": (0.4, 0.2)},
    strata={"一期": (140, 0.90), "二期": (120, 0.85)},
    items={"work_quality": 0.05, "build_quality": -0.2, "service": 0.1, "overall": 0.0},
    distribution_rate=0.96, return_rate=0.82, blank_share=0.32, nonresponse=0.04,
    faults=ordinary_faults("2024", "work_quality", "build_quality", "service"), repeated=(20,),
    channels=("电话", "短信", "面访"),
    praise=("交房流程顺畅,讲解清楚", "销售顾问专业", "户型好,质量放心"),
    blame=("外墙渗水,维修拖了很久", "交房时墙面空鼓较多", "售后电话难打通"),
)  # fmt: skip
SURVEYS = (YUANYA_2022, YUANYA_2023, YUANYA_2024, LANTING_2024, HENGXIN_2024Q3, HENGXIN_2024Q4, YUNTING_2024)

if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else ".")

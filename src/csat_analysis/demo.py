"""Which made-up surveys can a newcomer try, and what is the truth behind them?

Each survey is declared here: who the customers are and how satisfied, who answers, what goes wrong, and what was
entered of the procedure's steps. ``synthetic`` makes the tables. Nothing here is about real people or firms.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple


class Fault(NamedTuple):
    """One spoiled cell: `form` counts the forms with an answer, from 0."""

    form: int
    column: str
    value: str


class Complaint(NamedTuple):
    """One complaint; `days` is how long it took to close it, None where it is open or nobody noted it."""

    content: str
    description: str
    days: int | None = None


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
    is_stratified: bool = False  # the forms are drawn within each stratum
    is_anonymous: bool = False  # the forms come back in a box: nobody knows whose they are
    inapplicable: Mapping[str, float] = field(default_factory=dict)  # share of customers whom an item does not concern
    faults: tuple[Fault, ...] = ()
    repeated: tuple[int, ...] = ()  # forms that are entered a second time, at the end
    complaints: tuple[Complaint, ...] = ()
    shipments: int = 0
    steps: str = ""  # step | due on | done on | responsible | evidence | reason; cells may be left out at the end

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


@dataclass(frozen=True)
class Paths:
    """All that decides a survey whose answers follow paths between constructs, and what goes wrong in it.

    Examples
    --------
    >>> MODELS[0].project, MODELS[0].paths["complaints"]
    ('qingyun', {'satisfaction': 0.55})
    """

    project: str
    period: str
    seed: int
    forms: int  # returned
    answers: tuple[int, int]  # the lowest and the highest
    paths: Mapping[str, Mapping[str, float]]  # construct: those that lead to it, with their coefficients
    items: Mapping[str, Mapping[str, float]]  # construct: its items, with their means
    spread: float = 1.8  # standard deviation of an answer before it is rounded
    loading: float = 0.85  # correlation of an item with its construct
    unanswered: float = 0.003  # share of the answers that are left out
    blank: int = 0  # forms without any answer
    faults: tuple[Fault, ...] = ()


THANKS = "师傅上门很快,<b>谢谢</b>"


def ordinary_faults(period: str, first: str, second: str, third: str, thanks: str = THANKS) -> tuple[Fault, ...]:
    """Return the slips that every pile of forms holds, placed in the three items named."""
    return (
        Fault(2, second, "非常好"),
        Fault(4, "received_on", f"{period[:4]}-13-45"),
        Fault(6, third, "not_applicable"),
        *(Fault(form, item, "") for form, item in [(8, first), (9, third), (15, second), (15, third), (18, third)]),
        Fault(11, "comment", thanks),
        Fault(13, "comment", "<script>alert(1)</script>"),
    )


AGREEMENT = ("很满意", "满意", "一般", "不满意", "很不满意")
AGREEMENT_IDS = ("very_satisfied", "satisfied", "fair", "dissatisfied", "very_dissatisfied")
AGREEMENT_CODES = ("5", "4", "3", "2", "1")
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
    steps="""
    latest_version      | 2024-02-29 | 2024-02-20 | 综合办公室 | ZH-2024-003 文件发放记录
    service_standards   | 2024-03-31 | 2024-03-18 | 品质管理部 | PZ-2024-007 服务标准汇编
    training            | 2024-06-30 | 2024-05-22 | 人力资源部 | RL-2024-015 培训签到表
    review              | 2024-06-30 | 2024-07-12 | 管理层     | PZ-2024-016 复审记录 | 防汛值守期间，会议推迟
    internal_audit      | 2024-09-30 | 2024-09-26 | 品质管理部
    committee_meeting   | 2024-10-31 | 2024-10-17 | 客服部     | KF-2024-031 会议记录
    survey              | 2024-11-15 | 2024-11-01 | 客服部     | KF-2024-034 《业主调查表》发放登记
    external_assessment | 2024-11-30 |            | 品质管理部 | | 评估机构尚未选定
    change_proposed     | 2024-12-06 | 2024-12-05 | 客服部     | KF-2024-041 修改建议
    change_assessed     | 2024-12-13 | 2024-12-12 | 品质管理部 | PZ-2024-027 讨论纪要
    change_decided      | 2024-12-20 | 2024-12-19 | 管理层     | PZ-2024-029 修改方案
    review              | 2024-12-31 | 2024-12-19 | 管理层     | PZ-2024-030 复审记录
    free_services       | 2024-12-31 | 2024-12-30 | 客服部     | KF-2024-045 《亲情服务记录表》
    change_made         | 2025-01-31 |            | 品质管理部
    """,
)  # fmt: skip
LANTING_2024 = replace(
    YUANYA_2024, project="lanting", seed=6, encoding="utf-8", steps="",
    strata={"A座": (80, 0.80), "B座": (50, 0.82), "C座": (50, 0.74)},
    distribution_rate=0.94, return_rate=0.84,
)  # fmt: skip
HEYUAN_2024 = replace(
    LANTING_2024, project="heyuan", seed=160,
    strata={"甲栋": (60, 0.90), "乙栋": (60, 0.85), "丙栋": (40, 0.875)},
    distribution_rate=0.95, return_rate=0.88,
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
        Complaint("产品质量", "断路器外壳开裂两只,要求更换"),
        Complaint("服务质量", "到货比合同约定晚五天,工地停工"),
        Complaint("服务质量", "发货数量与清单不符,少一箱"),
    ),
)  # fmt: skip
HENGXIN_2024Q4 = replace(
    HENGXIN_2024Q3, period="2024Q4", strata={"经销商": (40, 0.70), "工程商": (24, 0.75)},
    items={**HENGXIN_2024Q3.items, "delivery": -0.1}, distribution_rate=0.97, return_rate=0.47, shipments=88,
    complaints=(
        Complaint("产品质量", "接触器噪声大,要求检测"),
        Complaint("服务质量", "年底交货延误三天"),
        Complaint("服务质量", "技术资料未随货到达"),
        Complaint("服务态度", "电话咨询时客服不耐烦"),
    ),
    steps="""
    survey                     | 2024-10-25 | 2024-11-01 | 综合部 | ZH-2024-058 调查表发送登记 | 调查表改版，晚一周发出
    information_at_exhibitions | 2024-11-30 | 2024-11-15 | 综合部
    information_by_sales       | 2024-12-31 | 2024-12-20 | 综合部 | ZH-2024-064 销售走访记录
    customer_file_kept         | 2024-12-31 | 2024-12-27 | 综合部 | ZH-2024-066 顾客档案更新记录
    return_rate                |            |            | 综合部 | ZH-2025-002 催收记录 | 年末盘点，催收后仍过半未交回
    results_fed_back           | 2025-01-31 |            | 综合部
    """,
)  # fmt: skip
YUNTING_2024 = Truth(
    project="yunting", period="2024", seed=260, by="phase", levels=AGREEMENT,
    segments={"已入住": (0.6, 0.0), "待入住": (0.4, 0.2)},
    strata={"一期": (140, 0.90), "二期": (120, 0.85)},
    items={"work_quality": 0.05, "build_quality": -0.2, "service": 0.1, "overall": 0.0},
    distribution_rate=0.96, return_rate=0.82, blank_share=0.32, nonresponse=0.04,
    faults=(
        *ordinary_faults("2024", "work_quality", "build_quality", "service"),
        *(Fault(22, item, "") for item in ("work_quality", "build_quality", "service")),  # one answer of four
        *(Fault(24, item, "不满意") for item in ("work_quality", "build_quality", "service")),
        Fault(24, "overall", "很满意"),  # satisfied with nothing but the whole
    ),
    repeated=(20,),
    channels=("电话", "短信", "面访"),
    praise=("交房流程顺畅,讲解清楚", "销售顾问专业", "户型好,质量放心"),
    blame=("外墙渗水,维修拖了很久", "交房时墙面空鼓较多", "售后电话难打通"),
    steps="""
    service_plan             | 2024-01-31 |            | 服务品质管理部 | | 年度计划并入部门工作计划，未单独成文
    preparation              | 2024-09-30 | 2024-10-08 | 服务品质管理部 | PZ-2024-052 计划编制任务单 | 国庆假期后着手
    agency_choice            | 2024-10-18 | 2024-10-15 | 服务品质管理部 | PZ-2024-055 比选记录
    agency_agreement         | 2024-10-25 | 2024-10-22 | 服务品质管理部 | PZ-2024-057 调研协议
    scheme_comments          | 2024-10-24 | 2024-10-23 | 工程部、营销部 | PZ-2024-058 方案会签单
    plan_approval            | 2024-10-25 | 2024-10-24 | 服务品质管理部 | PZ-2024-059 计划及预算审批单
    scheme_final             | 2024-10-28 | 2024-10-25 | 调研机构       | DY-2024-003 方案及问卷定稿
    scheme_approval          | 2024-10-31 | 2024-10-29 | 服务品质管理部 | PZ-2024-061 方案审批单
    survey                   | 2024-11-01 | 2024-11-01 | 调研机构       | DY-2024-004 执行日志
    report_submission        | 2024-12-31 | 2024-12-27 | 调研机构       | DY-2024-009 调查分析报告
    invalid_rate             |            |            | 调研机构       | DY-2024-008 无效卷清单 | 短信问卷中途退出较多
    other_problems_explained | 2025-01-10 | 2025-01-07 | 物业公司       | WY-2025-001 沟通记录
    return_visits            | 2025-01-10 | 2025-01-08 | 服务品质管理部
    assessment               | 2025-03-31 |            | 服务品质管理部
    assessment_report        | 2025-03-31 |            | 服务品质管理部
    assessment_distribution  | 2025-04-15 |            | 服务品质管理部
    appraisal                | 2025-04-30 |            | 人力资源部
    """,
)  # fmt: skip
JINWEI_2024 = Truth(
    project="jinwei", period="2024", seed=1924, by="region", levels=("很满意", "满意", "基本满意", "不满意"),
    segments={"终端用户": (0.7, 0.0), "经销商": (0.3, 0.2)},
    strata={"华北": (60, 0.85), "华东": (80, 0.80), "西南": (40, 0.75)},
    items={"performance": 0.1, "effect": 0.0, "service": -0.2, "attitude": 0.25, "overall": 0.0},
    distribution_rate=0.95, return_rate=0.72, blank_share=0.02, nonresponse=0.06,
    faults=ordinary_faults("2024", "performance", "effect", "service", "工程师回复很快，<b>谢谢</b>"), repeated=(20,),
    channels=("邮件", "信函", "业务员"),
    praise=("仪表稳定，两年没有出过问题", "技术支持回复很快", "检定证书齐全，验收顺利"),
    blame=("备件供应太慢", "现场调试比约定晚了三天", "说明书看不明白，电话又打不进"),
    complaints=(
        Complaint("产品质量", "压力变送器零点漂移，要求更换", 9),
        Complaint("服务质量", "检定证书未随货寄到", 4),
        Complaint("产品质量", "流量计读数不稳，要求检修", 15),
        Complaint("服务态度", "来电咨询时接线人员语气生硬", 3),
        Complaint("产品质量", "温度计示值超差，要求重新检定", 21),
        Complaint("服务质量", "现场调试比约定晚三天", 6),
        Complaint("突发事件", "暴雨致仓库进水，六台仪表受潮", 30),
        Complaint("产品质量", "压力表外壳锈蚀，要求退货", 12),
        Complaint("服务质量", "备件缺货，等待两周", 18),
        Complaint("产品质量", "同批流量计三台示值偏高，要求送检"),
        Complaint("服务质量", "维修返回的仪表缺少附件", 5),
        Complaint("产品质量", "变送器密封圈渗漏，要求送检"),
        Complaint("服务态度", "上门人员未说明收费标准", 4),
        Complaint("产品质量", "液位计误报警，要求送检"),
    ),
    steps="""
    product_information   | 2024-06-30 | 2024-06-05 | 经营部     | JY-2024-022 产品资料发放清单
    on_site_publicity     | 2024-09-30 | 2024-09-12 | 售后服务部 | SH-2024-018 现场宣传记录
    information_passed_on | 2024-10-31 | 2024-11-18 | 各部门     | BG-2024-040 信息传递单 | 两个部门报送迟延
    survey                | 2024-11-15 | 2024-11-01 | 经营部     | JY-2024-049 《顾客满意信息调查表》发放登记
    customer_form         | 2024-11-30 |            | 经营部     | | 表格正在修订
    return_visits         | 2024-12-31 | 2024-12-13 | 经营部     | JY-2024-057 《市场调研记录表》
    sources               | 2024-12-31 | 2024-12-16 | 售后服务部
    opinion_register      | 2024-12-31 | 2024-12-30 | 售后服务部 | SH-2024-031 《顾客意见登记簿》
    evaluation            | 2024-12-31 | 2024-12-30 | 办公室     | BG-2024-046 满意度评价报告
    closure_rate          |            |            | 办公室     | BG-2025-001 未办结投诉说明 | 三起待外送检定，结论未出
    management_review     | 2025-01-24 |            | 办公室
    """,
)  # fmt: skip
SONGHE_2024 = Truth(
    project="songhe", period="2024", seed=340, by="site", levels=AGREEMENT_CODES, segments={},
    strata={"东苑": (140, 0.84), "西苑": (110, 0.80), "南苑": (90, 0.70)},
    items={"safety": 0.2, "environment": 0.05, "facilities": -0.3, "repairs": -0.25, "staff": 0.3, "overall": 0.0},
    distribution_rate=1.0, return_rate=0.55, blank_share=0.02, nonresponse=0.05, is_anonymous=True,
    faults=ordinary_faults("2024", "safety", "facilities", "repairs"), channels=("信箱",),
    praise=("保安认真，晚上进出放心", "绿化比去年好", "前台有问必答"),
    blame=("儿童滑梯坏了半年没修", "地库灯不亮，报修没人理", "楼道堆物没人管"),
    steps="""
    notice            | 2024-10-28 | 2024-10-25 | 物业服务中心 | WY-2024-035 温馨提示
    return_box        | 2024-10-31 | 2024-10-31 | 管理处       | GL-2024-012 回收信箱设置记录
    survey            | 2024-11-01 | 2024-11-01 | 物业服务中心 | WY-2024-037 问卷投递登记
    forms_collected   | 2024-12-11 | 2024-12-11 | 管理处       | GL-2024-015 开箱清点单
    notice_taken_down | 2024-12-12 | 2024-12-16 | 物业服务中心 | WY-2024-041 撤文记录 | 南苑告示栏漏撤
    forms_mailed      | 2024-12-13 | 2024-12-13 | 管理处
    statistics        | 2025-01-10 | 2025-01-08 | 总部         | ZB-2025-002 统计分析报告
    measures_set      | 2025-02-28 |            | 总部
    """,
)  # fmt: skip
HUITONG_2024Q3 = Truth(
    project="huitong", period="2024Q3", seed=220, by="segment", levels=AGREEMENT, segments={},
    strata={"家庭用户": (120, 0.75), "企业用户": (60, 0.80), "维保客户": (40, 0.65)},
    items={"product": 0.3, "service": 0.0, "after_sales": -0.35, "recovery": -0.3, "overall": 0.0},
    distribution_rate=0.90, return_rate=0.50, blank_share=0.02, nonresponse=0.06, inapplicable={"recovery": 0.6},
    faults=ordinary_faults("2024Q3", "product", "service", "after_sales", "师傅上门很快，<b>谢谢</b>"), repeated=(20,),
    channels=("短信", "电话", "微信"),
    praise=("预约当天就上门", "维修后主动回访", "费用透明"),
    blame=("约好的时间来了又改", "同一处修了三次", "配件等了十天"),
    steps="""
    standards   | 2024-07-31 | 2024-07-19 | 运营管理部 | YY-2024-028 服务标准清单
    survey      | 2024-08-15 | 2024-08-01 | 客户服务部 | KH-2024-061 问卷发送登记
    back_office | 2024-09-30 | 2024-09-27 | 信息技术部 | XX-2024-019 工单支持记录
    assessment  | 2024-09-30 | 2024-10-09 | 运营管理部 | YY-2024-036 服务评估报告 | 抽查样本补充，晚九天完成
    """,
)  # fmt: skip
HUITONG_2024Q4 = replace(
    HUITONG_2024Q3, period="2024Q4", return_rate=0.54,
    strata={"家庭用户": (120, 0.82), "企业用户": (60, 0.85), "维保客户": (40, 0.70)},
    items={**HUITONG_2024Q3.items, "after_sales": -0.1},
    faults=ordinary_faults("2024Q4", "product", "service", "after_sales", "师傅上门很快，<b>谢谢</b>"),
    steps="""
    standards   | 2024-10-31 | 2024-10-18 | 运营管理部 | YY-2024-040 服务标准清单
    survey      | 2024-11-15 | 2024-11-01 | 客户服务部 | KH-2024-088 问卷发送登记
    back_office | 2024-12-31 | 2024-12-25 | 信息技术部
    assessment  | 2024-12-31 | 2024-12-27 | 运营管理部 | YY-2024-049 服务评估报告
    improvement | 2025-01-31 |            | 运营管理部
    """,
)  # fmt: skip
BEICHEN_2024 = Truth(
    project="beichen", period="2024", seed=400, by="industry", levels=AGREEMENT,
    segments={"大型客户": (0.3, 0.2), "中小客户": (0.7, 0.0)},
    strata={"制造业": (160, 0.80), "零售业": (140, 0.75), "公共服务": (100, 0.86)},
    items={"product_quality": 0.1, "service_level": 0.05, "after_sales": -0.3, "overall": 0.0},
    distribution_rate=0.45, return_rate=0.62, blank_share=0.02, nonresponse=0.06, is_stratified=True,
    faults=ordinary_faults("2024", "product_quality", "service_level", "after_sales", "实施顾问很耐心，<b>谢谢</b>"),
    repeated=(20,), channels=("邮件", "电话"),
    praise=("升级平稳，没有影响业务", "实施顾问熟悉我们的流程", "报表功能好用"),
    blame=("工单两天才有人回复", "接口文档太旧", "月底结账时系统变慢"),
    steps="""
    annual_plan     | 2024-01-31 | 2024-01-24 | 质量部     | ZL-2024-004 年度调查计划
    feedback_review | 2024-08-31 | 2024-08-22 | 质量部     | ZL-2024-031 反馈机制分析
    objectives      | 2024-09-20 | 2024-09-18 | 质量部     | ZL-2024-035 调查任务书
    questionnaire   | 2024-10-11 | 2024-10-10 | 产品部     | CP-2024-052 问卷定稿
    mode            | 2024-10-18 | 2024-10-16 | 客户成功部 | KC-2024-070 调查方式说明
    sample          | 2024-10-25 | 2024-10-23 | 质量部     | ZL-2024-041 分层抽样清单
    survey          | 2024-11-01 | 2024-11-01 | 客户成功部 | KC-2024-075 问卷发送记录
    importance      | 2024-11-08 | 2024-11-06 | 客户成功部 | KC-2024-077 提醒邮件
    chasing         | 2024-11-22 | 2024-11-27 | 客户成功部 | KC-2024-083 催收记录 | 系统升级期间未发催收邮件
    suggestions     | 2024-12-31 | 2024-12-18 | 质量部     | ZL-2024-055 建议汇总
    review_meetings | 2024-12-31 | 2024-12-20 | 质量部
    documentation   | 2024-12-31 |            | 质量部     | | 文档平台迁移，尚未完成
    reporting       | 2025-01-10 | 2025-01-09 | 质量部     | ZL-2025-002 调查报告
    process_review  | 2025-03-31 |            | 质量部
    """,
)  # fmt: skip
SURVEYS = (
    YUANYA_2022, YUANYA_2023, YUANYA_2024, LANTING_2024, HEYUAN_2024, HENGXIN_2024Q3, HENGXIN_2024Q4,
    YUNTING_2024, JINWEI_2024, SONGHE_2024, HUITONG_2024Q3, HUITONG_2024Q4, BEICHEN_2024,
)  # fmt: skip
QINGYUN_2024 = Paths(
    project="qingyun", period="2024", seed=24, forms=430, answers=(1, 10), blank=4,
    paths={
        "image": {}, "expectations": {"image": 0.55}, "quality": {"expectations": 0.60},
        "value": {"expectations": 0.10, "quality": 0.55},
        "satisfaction": {"image": 0.20, "expectations": 0.05, "quality": 0.45, "value": 0.25},
        "complaints": {"satisfaction": 0.55}, "loyalty": {"image": 0.20, "satisfaction": 0.50, "complaints": 0.05},
    },
    items={
        "image": {"image_trust": 7.6, "image_firm": 8.1, "image_society": 7.0, "image_care": 6.9, "image_ahead": 7.4},
        "expectations": {"expect_overall": 7.7, "expect_needs": 7.6, "expect_faults": 7.2},
        "quality": {"quality_overall": 7.5, "quality_network": 7.3, "quality_service": 6.8, "quality_offers": 7.5,
                    "quality_range": 7.4, "quality_reliable": 7.3, "quality_clear": 6.6},
        "value": {"value_price": 6.1, "value_quality": 6.5},
        "satisfaction": {"satisfied_overall": 7.3, "satisfied_expected": 6.9, "satisfied_ideal": 6.6},
        "complaints": {"complaints_handled": 6.4},
        "loyalty": {"loyal_again": 7.2, "loyal_price": 5.2, "loyal_recommend": 6.9},
    },
    faults=(Fault(3, "value_price", "11"), Fault(5, "quality_network", "很好"), Fault(9, "received_on", "2024-13-45")),
)  # fmt: skip
MODELS = (QINGYUN_2024,)

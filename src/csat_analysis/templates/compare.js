// Two runs side by side: what both have, each with its interval, and the difference where they can be compared.

const data = read("data");
const words = read("words");
const LISTED = 50;
const SIDES = ["first", "second"];
const found = (id) => document.getElementById(id);
const picked = new Map();

const every = data.projects.flatMap(([place, id, title, where, runs]) =>
  runs.map(([period, procedure, status, shape, hasChange, figures]) => {
    const [programme, key, version] = data.procedures[procedure];
    return {
      place, title, period, programme, version, status, hasChange, figures, programmeKey: key, shape: data.shapes[shape],
      key: path(place, period), label: title + " " + period, text: plain([title, id, place, where, period, programme].join("\n")),
    };
  }));

// --- numbers ---

// A whole number without its last digits; halves to the even digit, as everywhere.
function cut(whole, digits) {
  const unit = 10 ** digits;
  const floor = Math.floor(whole / unit);
  const rest = whole - floor * unit;
  const up = rest * 2 > unit || (rest * 2 === unit && Math.abs(floor % 2) === 1);
  return floor + (up ? 1 : 0);
}

function decimal(shown) {
  const text = String(Math.abs(shown)).padStart(data.digits + 1, "0");
  const point = text.length - data.digits;
  return (shown < 0 ? "−" : "") + count(text.slice(0, point)) + "." + text.slice(point);
}

function figure(shown, unit) {
  return unit === "share" ? say(words, "percent", ["number", decimal(shown)]) : decimal(shown);
}

function difference(before, after, unit) {
  const shown = cut(after - before, data.carried);
  const text = (shown > 0 ? "+" : "") + decimal(shown);
  return say(words, unit === "share" ? "percentage_points" : unit, ["number", text]);
}

// --- what both have ---

// A figure's parts: value, low, high, n; what is not there is null.
function parts(packed) {
  return Array.isArray(packed) ? [0, 1, 2, 3].map((at) => (packed[at] === undefined ? null : packed[at])) : [packed, null, null, null];
}

function pairs(first, second) {
  const others = new Map(second.shape.map(([group, id, unit, , wording], at) => [JSON.stringify([group, id, unit]), [at, wording]]));
  return first.shape.flatMap(([group, id, unit, called, wording], at) => {
    const other = others.get(JSON.stringify([group, id, unit]));
    if (!other) return [];
    return [{group, unit, called, isAsked: wording === other[1], values: [parts(first.figures[at]), parts(second.figures[other[0]])]}];
  }).filter((pair) => pair.values.some(([value]) => value !== null));
}

function valueCell([value, low, high, n], pair) {
  if (value === null) return make("td", {class: "num"}, words.not_computed);
  if (pair.group === "gates") {
    const [mark, text] = data.verdicts[value];
    return make("td", {class: "verdict " + mark}, text);
  }
  const cell = make("td", {class: "num"}, make("strong", {}, figure(cut(value, data.carried), pair.unit)));
  if (low !== null && high !== null) {
    cell.append(make("small", {}, say(words, "range", ["low", figure(low, pair.unit)], ["high", figure(high, pair.unit)])));
  }
  if (n !== null) cell.append(make("small", {}, "n = " + count(n)));
  return cell;
}

function differenceCell(pair, isComparable) {
  const [[before], [after]] = pair.values;
  if (!isComparable || !pair.isAsked) return make("td", {class: "num"}, words.incomparable);
  if (pair.group === "gates" || before === null || after === null) return make("td", {class: "num"}, words.not_computed);
  return make("td", {class: "num"}, difference(before, after, pair.unit));
}

function bodies(both, isComparable) {
  return ["index", "measures", "items", "gates"].flatMap((group) => {
    const rows = both.filter((pair) => pair.group === group).map((pair) => make("tr", {},
      make("th", {scope: "row"}, name(pair.called)), ...pair.values.map((value) => valueCell(value, pair)), differenceCell(pair, isComparable)));
    if (!rows.length) return [];
    return [make("tbody", {}, make("tr", {class: "group"}, make("th", {colspan: 4, scope: "rowgroup"}, words[group])), ...rows)];
  });
}

// --- what has to be said ---

function remarks(first, second, both) {
  const told = [];
  if (first === second) told.push(words.same);
  if (first.programmeKey !== second.programmeKey) told.push(words.other_procedure);
  else if (first.version !== second.version) told.push(words.other_edition);
  if (both.some((pair) => !pair.isAsked)) told.push(words.other_wording);
  for (const run of new Set([first, second])) {
    if (data.statuses[run.status] === "void") told.push(say(words, "void", ["run", run.label]));
  }
  if (!both.length) told.push(words.nothing);
  return told;
}

function heading(run) {
  return make("th", {scope: "col", class: "num"},
    make("a", {href: path(run.place, "index." + data.language + ".html")}, name(run.title)), " " + run.period,
    make("small", {}, make("span", {class: "stamp " + data.statuses[run.status]}, data.stamps[run.status])));
}

function changeLinks(runs) {
  return runs.filter((run) => run.hasChange).map((run) => make("li", {}, make("a",
    {href: path(run.place, run.period, "30_change." + data.language + ".html")}, say(words, "change_of", ["run", run.label]))));
}

function draw() {
  const [first, second] = SIDES.map((side) => picked.get(side));
  if (!first || !second) {
    found("result").replaceChildren(make("p", {}, words.choose_two));
    return;
  }
  const both = pairs(first, second);
  const isComparable = first.programmeKey === second.programmeKey && first.version === second.version;
  const caption = say(words, "caption", ["first", first.label], ["second", second.label]);
  const table = make("table", {}, make("caption", {}, name(caption)), make("thead", {}, make("tr", {},
    make("th", {scope: "col"}, words.figure), heading(first), heading(second), make("th", {scope: "col", class: "num"}, words.difference))),
  ...bodies(both, isComparable));
  const scroll = make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption}, table);
  const links = changeLinks(first === second ? [first] : [first, second]);
  found("result").replaceChildren(
    ...remarks(first, second, both).map((text) => make("p", {class: "remark"}, name(text))),
    ...(both.length ? [scroll, make("p", {class: "note"}, words.caution)] : []),
    ...(links.length ? [make("ul", {}, ...links)] : []));
}

// --- what is chosen ---

function list(side) {
  const sought = plain(found(side + "-search").value).split(/\s+/).filter(Boolean);
  const matching = every.filter((run) => hasAll(run.text, sought));
  const kept = picked.get(side);
  const options = matching.slice(0, LISTED);
  if (kept && !options.includes(kept)) options.unshift(kept);
  found(side).replaceChildren(...options.map((run) => {
    const each = make("option", {value: run.key}, run.label);
    each.selected = run === kept;
    return each;
  }));
  found(side + "-count").textContent = say(words, "count", ["shown", count(Math.min(LISTED, matching.length))], ["found", count(matching.length)]);
}

function pick(side, key) {
  const run = every.find((each) => each.key === key);
  if (run) picked.set(side, run);
}

function fromAddress() {
  location.hash.slice(1).split(",").slice(0, 2).forEach((key, at) => pick(SIDES[at], key));
  SIDES.forEach(list);
  draw();
}

for (const side of SIDES) {
  found(side + "-search").addEventListener("input", () => list(side));
  found(side).addEventListener("change", () => {
    pick(side, found(side).value);
    draw();
  });
}
window.addEventListener("hashchange", fromAddress);
document.documentElement.classList.add("scripted");
fromAddress();

// The list of all runs: searched, filtered, sorted, and drawn a hundred at a time.

const data = read("data");
const words = read("words");
const STEP = 100;
const CHOICES = ["procedure", "period", "status", "rules", "state"];
const FIELDS = ["search", ...CHOICES];
const collator = new Intl.Collator(document.documentElement.lang, {numeric: true});
const found = (id) => document.getElementById(id);

// A run as an object; the places are those of portal_data.
const projects = data.projects.map(([place, id, title, where, also, line, runs]) => {
  const project = {place, title, where, line, names: [title, id, place, where, also]};
  project.runs = runs.map(([period, procedure, status, what, value, interval, number, rules, state, why, failed, set]) => ({
    project, period, procedure, status, what, value, interval, number, rules, state, why, failed, set,
    key: place + "/" + period,
  }));
  return project;
});
const every = projects.flatMap((project) => project.runs);
const procedures = data.procedures.map(plain);
// What each column is called: on a narrow screen there is no head, and each cell says it.
const heads = Object.fromEntries([...document.querySelectorAll("#list thead th")].map((head) =>
  [head.dataset.column || head.dataset.name, (head.querySelector("button") || head).textContent]));
const asked = {text: [], procedure: "", period: "", status: "", rules: "", state: ""};
const order = {column: "", down: false};
const open = new Set();
let chosen = [];
let shown = STEP;

// --- which runs ---

const RULES = {
  open: (run) => run.rules.length > 0,
  failed: (run) => run.rules.some((rule) => rule[1] === "failed"),
  borderline: (run) => run.rules.some((rule) => rule.length > 2),
  met: (run) => run.rules.length === 0,
};
const STATES = {
  noted: (run) => run.state >= 0 || run.failed !== "",
  stale: (run) => data.states[run.state] === "stale",
  failed: (run) => data.states[run.state] === "failed" || run.failed !== "",
};

// What is searched of a project, made when it is first asked for: thousands of projects are opened, few are searched.
function textOf(project) {
  project.text = project.text || plain(project.names.join("\n"));
  return project.text;
}

// The places of texts in the order of the language, found once: to compare two is slow.
const ranks = new Map();
function rankOf(key, texts) {
  if (!ranks.has(key)) {
    const places = [...new Set(texts())].sort(collator.compare);
    ranks.set(key, new Map(places.map((text, place) => [text, place])));
  }
  return ranks.get(key);
}

function ranked(key, of) {
  return (a, b) => {
    const places = rankOf(key, () => every.map(of));
    return places.get(of(a)) - places.get(of(b));
  };
}

function matches(run) {
  return (asked.procedure === "" || data.procedures[run.procedure] === asked.procedure)
    && (asked.status === "" || data.statuses[run.status] === asked.status)
    && (asked.rules === "" || RULES[asked.rules](run))
    && (asked.state === "" || STATES[asked.state](run))
    && (asked.text.length === 0 || hasAll(textOf(run.project) + "\n" + procedures[run.procedure], asked.text));
}

function candidates() {
  if (asked.period === "all") return every;
  if (asked.period === "") return projects.map((project) => project.runs[project.runs.length - 1]);
  return every.filter((run) => run.period === asked.period.slice(1));
}

const BY = {
  project: ranked("project", (run) => run.project.title),
  period: ranked("period", (run) => run.period),
  procedure: ranked("procedure", (run) => data.procedures[run.procedure]),
  status: (a, b) => a.status - b.status || a.state - b.state,
  headline: (a, b) => a.number - b.number,
  rules: (a, b) => weight(a) - weight(b),
};

function weight(run) {
  return run.rules.reduce((sum, rule) => sum + (rule[1] === "failed" ? 1000 : 1), 0);
}

// Runs without a headline stand last, whichever way it is sorted; equal ones keep their order, at first that of the ids.
function sorted(runs) {
  if (order.column === "") return runs;
  const compare = BY[order.column];
  const known = (run) => order.column !== "headline" || run.number !== null;
  const first = runs.filter(known).sort((a, b) => (order.down ? compare(b, a) : compare(a, b)));
  return first.concat(runs.filter((run) => !known(run)));
}

// --- how they are drawn ---

function sparkline(project) {
  if (project.line === "") return "";
  const told = project.runs.map((run) => run.period + " " + run.value).join(words.semicolon);
  const [x, y] = project.line.split(" ").pop().split(",");
  return svg("svg", {viewBox: "0 0 96 22", class: "spark", role: "img", "aria-label": say(words, "trend", ["values", told])},
    svg("polyline", {points: project.line}), svg("circle", {cx: x, cy: y, r: 2.5}));
}

function periodCell(run, isNewest) {
  const earlier = run.project.runs.length - 1;
  const cell = make("td", {"data-head": heads.period}, run.period);
  if (!isNewest || earlier === 0 || asked.period !== "") return cell;
  const isOpen = open.has(run.project.place);
  const text = isOpen ? words.hide : say(words, "earlier", ["n", count(earlier)]);
  const button = make("button", {type: "button", class: "plain-button", "aria-expanded": String(isOpen)}, text);
  button.addEventListener("click", () => {
    if (isOpen) open.delete(run.project.place);
    else open.add(run.project.place);
    draw();
    const again = found("runs").querySelector("[data-place=\"" + CSS.escape(run.project.place) + "\"] button[aria-expanded]");
    if (again) again.focus();
  });
  cell.append(button);
  return cell;
}

function statusCell(run) {
  const cell = make("td", {"data-head": heads.status}, make("span", {class: "stamp " + data.statuses[run.status]}, data.stamps[run.status]));
  if (run.state >= 0) {
    cell.append(make("small", {}, make("strong", {class: "state " + data.states[run.state]}, data.standing[run.state])));
    if (run.why) cell.append(make("small", {class: "why"}, name(run.why)));
  }
  if (run.failed) {
    cell.append(make("small", {}, make("a", {href: path(run.project.place, run.period, "failed", run.failed)}, words.failed_run)));
  }
  return cell;
}

function headlineCell(run, isNewest) {
  const cell = make("td", {"data-head": heads.headline}, name(data.named[run.what]), words.colon, make("strong", {}, run.value));
  if (isNewest) cell.append(sparkline(run.project));
  if (run.interval) cell.append(make("small", {class: "whole"}, run.interval));
  return cell;
}

function rulesCell(run) {
  const lines = run.rules.map(([text, mark, ...below]) =>
    make("div", {class: mark}, name(text), ...below.map((line) => make("small", {}, line))));
  return make("td", {"data-head": heads.rules}, ...(lines.length ? lines : [words.none]));
}

function pagesCell(run) {
  const pages = data.sets[run.set];
  const links = pages.map(([file, text], place) => make("span", {},
    make("a", {href: path(run.project.place, run.period, file)}, text), place < pages.length - 1 ? words.comma : ""));
  return make("td", {class: "pages", "data-head": heads.pages}, ...links);
}

function chooseCell(run) {
  const label = say(words, "choose_run", ["run", run.project.title + " " + run.period]);
  const box = make("input", {type: "checkbox", "aria-label": label});
  box.checked = chosen.includes(run);
  box.addEventListener("change", () => choose(run, box.checked));
  return make("td", {class: "choose", "data-head": heads.choose}, box);
}

function row(run, isEarlier) {
  const isNewest = run === run.project.runs[run.project.runs.length - 1];
  const link = make("a", {href: path(run.project.place, "index." + data.language + ".html")}, name(run.project.title));
  const head = make("th", {scope: "row"}, link, run.project.where ? make("small", {}, name(run.project.where)) : "");
  return make("tr", {"data-place": run.project.place, class: isEarlier ? "earlier" : ""}, chooseCell(run), head,
    periodCell(run, isNewest && !isEarlier), make("td", {"data-head": heads.procedure}, name(data.procedures[run.procedure])), statusCell(run),
    headlineCell(run, isNewest), rulesCell(run), pagesCell(run));
}

function behind(run) {
  return asked.period === "" && open.has(run.project.place) ? run.project.runs.slice(0, -1).reverse() : [];
}

function draw() {
  const runs = sorted(candidates().filter(matches));
  const drawn = runs.slice(0, shown);
  found("runs").replaceChildren(...drawn.flatMap((run) => [row(run, false), ...behind(run).map((each) => row(each, true))]));
  found("count").textContent = say(words, runs.length ? "count" : "none_found", ["shown", count(drawn.length)],
    ["found", count(runs.length)], ["all", count(every.length)], ["projects", count(projects.length)]);
  found("more").hidden = drawn.length === runs.length;
  found("more").textContent = say(words, "more", ["n", count(Math.min(STEP, runs.length - drawn.length))]);
  for (const head of document.querySelectorAll("#list th[data-column]")) {
    const direction = order.down ? "descending" : "ascending";
    head.setAttribute("aria-sort", head.dataset.column === order.column ? direction : "none");
  }
}

// --- two to compare ---

function choose(run, isChosen) {
  chosen = chosen.filter((each) => each !== run);
  if (isChosen) chosen = [...chosen.slice(-1), run];
  for (const box of found("runs").querySelectorAll("input[type=checkbox]")) box.checked = false;
  draw();
  const label = say(words, "choose_run", ["run", run.project.title + " " + run.period]);
  const box = [...found("runs").querySelectorAll("input[type=checkbox]")].find((each) => each.getAttribute("aria-label") === label);
  if (box) box.focus();
  const names = chosen.map((each) => each.project.title + " " + each.period);
  found("chosen").textContent = chosen.length ? say(words, "chosen", ["runs", names.join(words.semicolon)]) : "";
  const address = chosen.map((each) => path(each.project.place, each.period)).join(",");
  found("compare").setAttribute("href", "compare." + data.language + ".html" + (address ? "#" + address : ""));
}

// --- what is asked ---

function option(value, text) {
  const element = make("option", {}, text);
  element.value = value;
  return element;
}

function fillSelect(id, first, entries) {
  found(id).replaceChildren(...[["", first], ...entries].map(([value, text]) => option(value, text)));
}

function ask() {
  asked.text = plain(found("search").value).split(/\s+/).filter(Boolean);
  for (const key of CHOICES) asked[key] = found(key).value;
  shown = STEP;
  draw();
  remember();  // last: some browsers refuse to be told a hundred times in half a minute
}

// The address says what is asked, so that a view can be kept and sent.
function remember() {
  const kept = new URLSearchParams(FIELDS.filter((key) => found(key).value).map((key) => [key, found(key).value]));
  if (order.column) kept.set("sort", (order.down ? "-" : "") + order.column);
  const text = kept.toString();
  history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
}

function recall() {
  const kept = new URLSearchParams(location.hash.slice(1));
  for (const key of FIELDS) {
    found(key).value = kept.get(key) || "";
    if (found(key).selectedIndex === -1) found(key).value = "";  // there is no such choice any more
  }
  const [, minus, column] = (kept.get("sort") || "").match(/^(-?)(.*)$/s);
  [order.column, order.down] = Object.hasOwn(BY, column) ? [column, minus === "-"] : ["", false];
  ask();
}

function begin() {
  const periods = [...new Set(every.map((run) => run.period))].sort((a, b) => collator.compare(b, a));
  fillSelect("procedure", words.any_procedure, data.procedures.map((text) => [text, text]));
  fillSelect("period", words.newest, [["all", words.every], ...periods.map((period) => ["=" + period, period])]);
  fillSelect("status", words.any, data.stamps.map((text, place) => [data.statuses[place], text]));
  fillSelect("rules", words.any, Object.keys(RULES).map((key) => [key, words["rules_" + key]]));
  fillSelect("state", words.any, Object.keys(STATES).map((key) => [key, words["state_" + key]]));
  found("search").addEventListener("input", ask);
  for (const key of CHOICES) found(key).addEventListener("change", ask);
  for (const head of document.querySelectorAll("#list th[data-column]")) {
    head.querySelector("button").addEventListener("click", () => {
      order.down = order.column === head.dataset.column && !order.down;
      order.column = head.dataset.column;
      draw();
      remember();
    });
  }
  found("more").addEventListener("click", () => {
    const before = found("runs").children.length;
    shown += STEP;
    draw();
    const next = found("runs").children[before];
    if (next) next.querySelector("a").focus();
  });
  found("clear").addEventListener("click", () => {
    for (const key of FIELDS) found(key).value = "";
    ask();
    found("search").focus();
  });
  window.addEventListener("hashchange", recall);
  document.documentElement.classList.add("scripted");
  recall();
}

begin();

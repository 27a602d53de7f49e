"use strict";
// Shows one step at a time. All that is shown stands in the element "data"; text enters the page as textContent only.

const data = JSON.parse(document.getElementById("data").textContent);
const { vertices, steps, arrays } = data;
const LONGEST_SUM = 24; // terms that are written out
let language = data.language;
let current = 0; // number of the step shown, from 0
let timer = null;
let marked = []; // the cells that the visited cell is made of

const find = (id) => document.getElementById(id);

function say(key, values = {}) {
  // One pass, so that a name with braces in it stays a name.
  return data.words[language][key].replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

function make(tag, text = "", className = "", ...children) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (className) element.className = className;
  element.append(...children);
  return element;
}

const tuple = (shape) => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`);
const labelOf = (vertex) => (vertex.kind === "op" ? `${vertex.id} (${vertex.name})` : vertex.name);

// ---- arrays

const numbersOf = (array) => (array.cells === "" ? [] : array.cells.split(" "));

function placeOf(array, row, column) {
  // The index of a shown cell: rows run over all axes but the last.
  const place = array.shape.length ? [column] : [];
  for (let axis = array.shape.length - 2, left = row; axis >= 0; axis--) {
    place.unshift(left % array.shape[axis]);
    left = Math.floor(left / array.shape[axis]);
  }
  return place;
}

function cellAt(array, place) {
  // The number of a shown cell, or -1 if it is not among those shown.
  const column = array.shape.length ? place[place.length - 1] : 0;
  let row = 0;
  for (let axis = 0; axis < place.length - 1; axis++) row = row * array.shape[axis] + place[axis];
  return row < array.rows && column < array.columns ? row * array.columns + column : -1;
}

function colourOf(number, scale) {
  // Blue below zero, white at zero, orange above, as far as the largest magnitude.
  if (!Number.isFinite(number)) return "#e59ac6";
  const share = scale ? Math.min(Math.abs(number) / scale, 1) : 0;
  const end = number < 0 ? [74, 159, 220] : [242, 142, 43];
  return `rgb(${end.map((part) => Math.round(255 + (part - 255) * share)).join(" ")})`;
}

let countOfTables = 0;

function showArray(title, number, { onCell = null, hasLegend = true } = {}) {
  // A figure with a title, the numbers as a table whose cells can be visited, and a legend.
  const caption = make("figcaption", "", "", make("strong", title));
  const element = make("figure", "", "", caption);
  if (number === null) {
    element.append(make("p", say("not_kept"), "note"));
    return { element, cells: [], array: null };
  }
  const array = arrays[number];
  caption.append(` ${array.shape.length ? say("shape", { shape: tuple(array.shape) }) : say("scalar")}`);
  const written = numbersOf(array);
  if (!written.length) {
    element.append(make("p", say("empty"), "note"));
    return { element, cells: [], array };
  }
  const isGrid = array.all[0] <= 8 && array.all[1] <= 8;
  const scale = Math.max(Math.abs(parseFloat(array.low)), Math.abs(parseFloat(array.high)));
  const table = make("table", "", isGrid ? "numbers" : "colours");
  table.tabIndex = 0;
  table.dataset.array = number;
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", `${say("table", { name: title })}, ${say("legend", { low: array.low, high: array.high })}`);
  const name = `table${countOfTables++}`;
  const cells = [];
  const body = make("tbody");
  for (let row = 0; row < array.rows; row++) {
    const line = make("tr", "", row && array.shape.length > 2 && row % array.shape.at(-2) === 0 ? "slice" : "");
    line.setAttribute("role", "row");
    for (let column = 0; column < array.columns; column++) {
      const cell = make("td", isGrid ? written[cells.length] : "");
      cell.setAttribute("role", "gridcell");
      cell.style.backgroundColor = colourOf(parseFloat(written[cells.length]), scale);
      cells.push(cell);
      line.append(cell);
    }
    body.append(line);
  }
  table.append(body);
  const readout = make("p", "", "readout");
  const shown = { element, cells, array, written };
  let active = -1;
  const visit = (which) => {
    if (active >= 0) cells[active].classList.remove("active");
    active = which;
    const cell = cells[which];
    const place = placeOf(array, Math.floor(which / array.columns), which % array.columns);
    const text = say("cell", { cell: `[${place.join(", ")}]`, value: written[which] });
    cell.classList.add("active");
    cell.id = `${name}-${which}`;
    cell.setAttribute("aria-label", text);
    table.setAttribute("aria-activedescendant", cell.id);
    readout.textContent = text;
    if (onCell) onCell(place);
  };
  shown.visit = visit;
  table.addEventListener("focus", () => { if (active < 0) visit(0); });
  const under = (event) => cells.indexOf(event.target);
  for (const kind of ["pointerover", "click"]) {
    table.addEventListener(kind, (event) => { if (under(event) >= 0) visit(under(event)); });
  }
  table.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -array.columns, ArrowDown: array.columns };
    if (event.key in moves) {
      const goal = active + moves[event.key];
      const sideways = Math.abs(moves[event.key]) === 1 && Math.floor(goal / array.columns) !== Math.floor(active / array.columns);
      if (goal >= 0 && goal < cells.length && !(sideways && array.columns > 1)) {
        visit(goal);
        cells[goal].scrollIntoView({ block: "nearest", inline: "nearest" });
      }
    } else if (event.key === "Escape") {
      find("panel").focus({ preventScroll: true });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  element.append(make("div", "", "scroll", table));
  if (cells.length < array.all[0] * array.all[1]) {
    const part = { rows: array.rows, all_rows: array.all[0], columns: array.columns, all_columns: array.all[1] };
    element.append(make("p", say("shown_part", part), "note"));
  }
  if (hasLegend && cells.length > 1) {
    const end = scale.toPrecision(3);
    const bar = [make("span", `-${end}`), make("span", "", "bar"), make("span", end)];
    element.append(make("p", "", "legend", ...bar, make("span", say("legend", { low: array.low, high: array.high }))));
  }
  element.append(readout);
  return shown;
}

// ---- numbers put in: the same rule as the function "expression" in Python

function* countUp(lengths) {
  const place = lengths.map(() => 0);
  if (lengths.includes(0)) return;
  for (;;) {
    yield [...place];
    let axis = lengths.length - 1;
    while (axis >= 0 && ++place[axis] === lengths[axis]) place[axis--] = 0;
    if (axis < 0) return;
  }
}

function putNumbersIn(rule, place, operands, visited) {
  // The expression for one cell, or null if a number it needs is not shown; "visited" collects the cells used.
  let exact = true;
  const fill = (text, at) => text.replace(/\{(\w+)\}/g, (all, name) => {
    const operand = operands[name];
    const loops = rule.operands[name];
    const which = operand && operand.array ? cellAt(operand.array, loops.map((loop) => (loop === null ? 0 : at[loop]))) : -1;
    if (which < 0) throw new RangeError(name);
    if (!operand.array.exact) exact = false;
    visited.push(operand.cells[which]);
    return operand.written[which].startsWith("-") ? `(${operand.written[which]})` : operand.written[which];
  });
  try {
    const terms = [];
    for (const rest of countUp(rule.loops.slice(rule.axes))) terms.push(fill(rule.term, [...place, ...rest]));
    const sum = terms.join(" + ") || "0"; // a sum of nothing
    const tail = fill(rule.tail, place);
    const whole = terms.length > 1 && /^ [/*]/.test(tail) ? `(${sum})${tail}` : sum + tail;
    return { whole, exact };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function showTerms(rule, shown, operands) {
  // A line below a result: the expression of the visited cell. Returns the line and what to do when a cell is visited.
  const line = make("div", "", "terms");
  line.setAttribute("aria-live", "polite");
  const onCell = (place) => {
    for (const cell of marked) cell.classList.remove("term");
    marked = [];
    const figure = shown();
    const count = rule.loops.slice(rule.axes).reduce((product, n) => product * n, 1);
    const put = count <= LONGEST_SUM ? putNumbersIn(rule, place, operands, marked) : null;
    for (const cell of marked) cell.classList.add("term");
    line.replaceChildren();
    if (count > LONGEST_SUM) {
      line.append(make("p", say("too_long", { count }), "note"));
    } else if (put) {
      const value = figure.written[cellAt(figure.array, place)];
      const cell = place.length ? `[${place.join(", ")}]` : "";
      line.append(make("p", say("numbers", { cell }), "note"));
      line.append(make("p", `${put.whole} ${put.exact && figure.array.exact ? "=" : "≈"} ${value}`, "expression"));
    }
  };
  return { line, onCell };
}

// ---- a step

function showFormula(parent, mathematics, code) {
  if (mathematics) parent.append(make("p", mathematics, "mathematics"));
  if (code) parent.append(make("p", say("written"), "note"), make("pre", code));
}

function titleOf(argument) {
  return `${argument.title} = ${labelOf(vertices[argument.vertex])}`;
}

function showArguments(step, operands) {
  const figures = make("div", "", "figures");
  for (const argument of step.arguments) {
    operands[argument.name] = showArray(titleOf(argument), vertices[argument.vertex].value);
    figures.append(operands[argument.name].element);
  }
  return figures;
}

function showResult(parent, title, number, rule, operands) {
  // The array at the end of a formula; its cells show their terms.
  let shown = null;
  const terms = rule && number !== null ? showTerms(rule, () => shown, operands) : null;
  shown = showArray(title, number, { onCell: terms && terms.onCell });
  parent.append(shown.element);
  return { shown, terms };
}

function showForward(parent, step, vertex) {
  parent.append(make("h3", say("formula")));
  showFormula(parent, step.mathematics, step.code);
  const operands = {};
  if (step.arguments.length) parent.append(make("h3", say("arguments")), showArguments(step, operands));
  parent.append(make("h3", say("result")));
  if (vertex.error) {
    parent.append(make("p", `${say("error")}: ${vertex.error}`));
    return;
  }
  const { shown, terms } = showResult(parent, `C = ${labelOf(vertex)}`, step.value, step.cells, operands);
  operands.out = shown;
  if (terms) {
    parent.append(terms.line, make("p", say("numbers_hint"), "note"));
    if (shown.visit) shown.visit(0);
  }
}

function showBackward(parent, step, vertex) {
  const operands = {};
  parent.append(make("h3", say("incoming", { id: vertex.id })));
  if (step.value === null) {
    parent.append(make("p", say("in_parts"), "note"));
  } else {
    operands.g = showArray(`g = dL/dC, C = ${labelOf(vertex)}`, step.value);
    parent.append(operands.g.element);
  }
  const around = make("div", "", "figures");
  const used = new Set(step.contributions.flatMap((part) => (part.cells ? Object.keys(part.cells.operands) : [])));
  for (const argument of step.arguments) {
    if (!used.has(argument.name)) continue;
    operands[argument.name] = showArray(titleOf(argument), vertices[argument.vertex].value);
    around.append(operands[argument.name].element);
  }
  if (used.has("out")) {
    operands.out = showArray(`C: out = ${labelOf(vertex)}`, vertex.value);
    around.append(operands.out.element);
  }
  if (around.childElementCount) parent.append(make("h3", say("arguments")), around);
  const visits = [];
  for (const part of step.contributions) parent.append(showContribution(part, vertex, operands, visits));
  for (const visit of visits.reverse()) visit(0); // the terms of the first contribution stay lit
  for (const stop of step.stopped) {
    const [key, cut] = stop.why;
    parent.append(make("p", say("stopped", { name: titleOf(stop), why: say(key, { cut }) })));
  }
}

function showContribution(part, vertex, operands, visits) {
  const target = vertices[part.vertex];
  const name = labelOf(target);
  const block = make("section", "", "contribution", make("h3", say("contribution", { name: titleOf(part) })));
  block.append(make("p", say("rule"), "note"));
  showFormula(block, part.mathematics, part.code);
  if (part.summed.length) {
    const axes = say(part.summed.length === 1 ? "axis" : "axes", { [part.summed.length === 1 ? "axis" : "axes"]: part.summed.join(", ") });
    block.append(make("p", say("summed", { name, small: tuple(target.shape), large: tuple(vertex.shape), axes })));
  }
  const figures = make("div", "", "figures");
  const { shown, terms } = showResult(figures, say("share"), part.share, part.cells, operands);
  block.append(figures);
  if (terms) {
    block.append(terms.line);
    if (shown.visit) visits.push(shown.visit);
  }
  if (part.before === null) {
    block.append(make("p", say("first_arrival", { name })));
  } else {
    block.append(make("p", say("adds_up", { name })));
    const sum = make("div", "", "figures sum");
    sum.append(showArray(say("before"), part.before, { hasLegend: false }).element, make("span", "+", "sign"));
    sum.append(showArray(say("share"), part.share, { hasLegend: false }).element, make("span", "=", "sign"));
    sum.append(showArray(say("after"), part.after, { hasLegend: false }).element);
    block.append(sum);
  }
  return block;
}

function sentenceOf(step, number) {
  const vertex = vertices[step.vertex];
  const values = { number: number + 1, total: steps.length, op: vertex.name, name: labelOf(vertex), id: vertex.id, shape: tuple(vertex.shape) };
  if (vertex.kind !== "op") return say("step_leaf", values);
  if (step.phase === "backward") return say("step_backward", values);
  return say(vertex.error ? "step_failed" : "step_forward", values);
}

function show(number) {
  current = Math.max(0, Math.min(number, steps.length - 1));
  const step = steps[current];
  const vertex = vertices[step.vertex];
  const parent = make("div");
  parent.append(make("p", say(step.phase), `phase ${step.phase}`));
  if (vertex.source) {
    const [file, line, text] = vertex.source;
    parent.append(make("p", say("line", { line, file }), "note"), make("pre", text, "source"));
  }
  if (vertex.places) parent.append(make("p", say("inside", { places: vertex.places }), "note"));
  if (vertex.settings) parent.append(make("p", `${say("settings")}: ${vertex.settings}`, "note"));
  if (vertex.version) parent.append(make("p", say("written_over", { version: vertex.version }), "note"));
  if (vertex.kind !== "op") {
    parent.append(showArray(say("leaf_grad", { name: labelOf(vertex) }), step.value).element);
    parent.append(make("p", say("leaf_rest", { name: labelOf(vertex) })));
  } else if (step.phase === "forward") {
    showForward(parent, step, vertex);
  } else if (step.value === null && !step.contributions.length) {
    parent.append(showArray(say("incoming", { id: vertex.id }), null).element);
  } else {
    showBackward(parent, step, vertex);
  }
  find("step").replaceChildren(parent);
  find("sentence").textContent = sentenceOf(step, current);
  find("timeline").value = current + 1;
  find("timeline").setAttribute("aria-valuetext", sentenceOf(step, current));
  for (const [button, isEnd] of [["first", current === 0], ["previous", current === 0], ["next", current === steps.length - 1], ["last", current === steps.length - 1]]) {
    find(button).setAttribute("aria-disabled", String(isEnd));
  }
  if (current === steps.length - 1) pause();
  mark(step, vertex);
}

function mark(step, vertex) {
  for (const element of document.querySelectorAll(".node.current, .edge.forward, .edge.backward")) {
    element.classList.remove("current", "forward", "backward");
    element.removeAttribute("aria-current");
  }
  const node = find(vertex.id);
  node.classList.add("current");
  node.setAttribute("aria-current", "step");
  for (const argument of step.phase === "forward" ? step.arguments : step.contributions || []) {
    for (const edge of document.querySelectorAll(`[id^="${vertices[argument.vertex].id}-${vertex.id}-"]`)) edge.classList.add(step.phase);
  }
  const picture = find("picture");
  const box = node.getBoundingClientRect();
  const frame = picture.getBoundingClientRect();
  picture.scrollTop += box.top + box.height / 2 - frame.top - frame.height / 2;
  picture.scrollLeft += box.left + box.width / 2 - frame.left - frame.width / 2;
}

// ---- moving

function pause() {
  clearInterval(timer);
  timer = null;
  find("play").textContent = say("play");
}

function play() {
  if (current === steps.length - 1) show(0);
  timer = setInterval(() => show(current + 1), Number(find("speed").value));
  find("play").textContent = say("pause");
}

function goTo(number) {
  if (timer) pause();
  show(number);
}

function goToVertex(id) {
  // To the vertex's step in the phase that is shown, else to its step in the other, else to the first step that uses it.
  const place = vertices.findIndex((vertex) => vertex.id === id);
  const phase = steps[current].phase;
  let goal = steps.findIndex((step) => step.vertex === place && step.phase === phase);
  if (goal < 0) goal = steps.findIndex((step) => step.vertex === place);
  if (goal < 0) goal = steps.findIndex((step) => (step.arguments || []).some((argument) => argument.vertex === place));
  if (goal >= 0) goTo(goal);
}

function matches() {
  const wanted = find("search").value.trim().toLowerCase();
  if (!wanted) return [];
  return vertices.filter((vertex) => `${vertex.id} ${vertex.name} ${tuple(vertex.shape)} ${vertex.places || ""}`.toLowerCase().includes(wanted));
}

function search() {
  const found = matches();
  for (const element of document.querySelectorAll(".node.match")) element.classList.remove("match");
  for (const vertex of found) find(vertex.id).classList.add("match");
  const isEmpty = find("search").value.trim() === "";
  find("found").textContent = isEmpty ? "" : found.length ? say("found", { count: found.length }) : say("found_none");
}

function showNextMatch() {
  const found = matches().map((vertex) => vertex.id);
  if (found.length) goToVertex(found[(found.indexOf(vertices[steps[current].vertex].id) + 1) % found.length]);
}

// ---- words

function speak() {
  document.documentElement.lang = language;
  find("heading").textContent = say("heading", { name: data.title });
  document.title = say("heading", { name: data.title });
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
    if (element.tagName === "BUTTON") element.title = say(element.dataset.label);
  }
  for (const element of document.querySelectorAll("[data-hint]")) element.placeholder = say(element.dataset.hint);
  find("switch").lang = language === "en" ? "zh" : "en";
  find("play").textContent = say(timer ? "pause" : "play");
  for (const vertex of vertices) {
    const seen = [...find(vertex.id).querySelectorAll("text")].map((line) => line.textContent).join(" ");
    find(vertex.id).setAttribute("aria-label", `${seen}, ${say(`node_${vertex.kind}`)}`); // what is seen is part of the name
  }
}

// ---- buttons and keys

find("timeline").max = steps.length;
find("timeline").addEventListener("input", () => goTo(Number(find("timeline").value) - 1));
find("first").addEventListener("click", () => goTo(0));
find("previous").addEventListener("click", () => goTo(current - 1));
find("next").addEventListener("click", () => goTo(current + 1));
find("last").addEventListener("click", () => goTo(steps.length - 1));
find("play").addEventListener("click", () => (timer ? pause() : play()));
find("speed").addEventListener("change", () => { if (timer) { pause(); play(); } });
find("search").addEventListener("input", search);
find("help").addEventListener("click", () => find("keys").showModal());
find("close").addEventListener("click", () => find("keys").close());
find("switch").addEventListener("click", () => { language = language === "en" ? "zh" : "en"; speak(); search(); show(current); });
for (const node of document.querySelectorAll(".node")) node.addEventListener("click", () => goToVertex(node.id));

const KEYS = {
  ArrowLeft: () => goTo(current - 1),
  ArrowRight: () => goTo(current + 1),
  Home: () => goTo(0),
  End: () => goTo(steps.length - 1),
  " ": () => (timer ? pause() : play()),
  "/": () => find("search").focus(),
  "?": () => find("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || find("keys").open) return;
  const target = event.target;
  if (target.id === "search") {
    if (event.key === "Enter") showNextMatch();
    if (event.key === "Escape") { target.value = ""; search(); find("panel").focus({ preventScroll: true }); }
    return;
  }
  const node = target.closest(".node");
  if (node && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    goToVertex(node.id);
    return;
  }
  const isOwn = { SELECT: true, INPUT: event.key !== "/" && event.key !== "?", BUTTON: event.key === " " || event.key === "Enter" }[target.tagName];
  if (isOwn || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});

speak();
show(0);

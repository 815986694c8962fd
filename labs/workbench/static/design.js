// The widget of workbench.notebook.design: one design as picture, as text, and as a list of what it lacks. What is
// done here is told to Python, which changes the text, judges it, and answers with the whole state anew.

const SVG = "http://www.w3.org/2000/svg";
const LONGEST = 24;      // characters of an arrow's label in the picture
const SLIP = 5;          // px that a pointer may move and still mean a click
const STACK = 4;         // px by which the second of several machines looks out from behind the first
const TYPING = 350;      // ms without a key before a text is read
const PATIENCE = 1500;   // ms before one is told that the kernel is busy

const STANDS = "It stands in the cell. Run the cell (Ctrl+Enter) to keep it.";

function shape(tag, attributes, parent) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent?.append(made);
  return made;
}

function words(parent, className, x, y, text, anchor = "middle") {
  const made = shape("text", { class: className, x, y, "text-anchor": anchor }, parent);
  made.textContent = text;
  return made;
}

const STORES = ["cache", "database", "replica", "analytics store"];
const LID = 5;    // half the height of a store's lid, px
const LINE = 15;  // from line to line within a box, px

// The outline of a box, by kind: what it is shows without its colour and before its name is read.
function outline(kind, w, h) {
  const [x, y] = [-w / 2, -h / 2];
  if (kind === "client") return `M${x + h / 2} ${y} H${-x - h / 2} a${h / 2} ${h / 2} 0 0 1 0 ${h} H${x + h / 2} a${h / 2} ${h / 2} 0 0 1 0 ${-h} Z`;
  if (STORES.includes(kind)) {
    const lid = LID;
    return `M${x} ${y + lid} a${w / 2} ${lid} 0 0 1 ${w} 0 V${-y - lid} a${w / 2} ${lid} 0 0 1 ${-w} 0 Z M${x} ${y + lid} a${w / 2} ${lid} 0 0 0 ${w} 0`;
  }
  if (kind === "cdn" || kind === "load balancer") return `M${x + 12} ${y} H${-x - 12} L${-x} 0 L${-x - 12} ${-y} H${x + 12} L${x} 0 Z`;
  if (kind === "queue") return `M${x} ${y} h${w} v${h} h${-w} Z M${x + 7} ${y} v${h} M${-x - 7} ${y} v${h}`;
  const r = kind === "worker" ? 16 : 4;
  return `M${x + r} ${y} H${-x - r} a${r} ${r} 0 0 1 ${r} ${r} V${-y - r} a${r} ${r} 0 0 1 ${-r} ${r} H${x + r} a${r} ${r} 0 0 1 ${-r} ${-r} V${y + r} a${r} ${r} 0 0 1 ${r} ${-r} Z`;
}

// Where an arrow begins and ends: below and above in the way of the layers, in an arc within one layer, and round what
// stands between two boxes of a column.
function sides(from, to, w, h) {
  const down = to.y - from.y;
  if (Math.abs(down) <= h / 2) return ["below", "below"];
  if (Math.abs(down) > 2 * h && Math.abs(to.x - from.x) < w) return ["left", "left"];
  return down > 0 ? ["below", "above"] : ["above", "below"];
}

// Arrows that share a side of a box share it out, in the order in which they arrive, so that they do not cross there.
function ends(arrows, places, [w, h]) {
  const shared = new Map();
  const found = arrows.map((arrow) => {
    const [from, to] = [places.get(arrow.from), places.get(arrow.to)];
    const [out, into] = sides(from, to, w, h);
    const both = [{ box: arrow.from, side: out, at: from, other: to }, { box: arrow.to, side: into, at: to, other: from }];
    for (const end of both) {
      const key = `${end.box} ${end.side}`;
      if (!shared.has(key)) shared.set(key, []);
      shared.get(key).push(end);
    }
    return both;
  });
  for (const together of shared.values()) {
    const upright = together[0].side === "below" || together[0].side === "above";
    together.sort((a, b) => (upright ? a.other.x - b.other.x : a.other.y - b.other.y));
    together.forEach((end, index) => {
      const part = (index + 1) / (together.length + 1) - 0.5;
      const way = { below: [part * w * 0.8, h / 2], above: [part * w * 0.8, -h / 2], left: [-w / 2, part * h * 0.7] }[end.side];
      end.x = end.at.x + way[0];
      end.y = end.at.y + way[1] - (end.at.stacked && end.side === "above" ? STACK : 0);
    });
  }
  return found;
}

const OUT = { below: [0, 1], above: [0, -1], left: [-1, 0] };
const ARC = { below: 44, left: 100 };  // px that the pull of an arrow goes which begins and ends at one side

function curve([a, b]) {
  // As steep for a near target as for a far one: so two arrows from one side never cross on their way.
  const pull = a.side === b.side ? ARC[a.side] : Math.max(16, 0.55 * Math.abs(b.y - a.y));
  const [p, q] = [a, b].map((end) => [end.x + pull * OUT[end.side][0], end.y + pull * OUT[end.side][1]]);
  return `M${a.x} ${a.y} C${p[0]} ${p[1]} ${q[0]} ${q[1]} ${b.x} ${b.y}`;
}

const shortened = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

function spoken(box, arrows) {
  const parts = [`${box.name}, ${box.kind}${box.count > 1 ? `, ${box.count} of them` : ""}`];
  const to = arrows.filter((arrow) => arrow.from === box.name).map((arrow) => arrow.to);
  if (to.length) parts.push(`arrows to ${to.join(", ")}`);
  if (box.load) parts.push(`gets ${box.load} ${box.what}`);
  if (box.over) parts.push(box.over);
  return parts.join("; ");
}

function table(figures, parent) {
  const more = part("details", "wb-figures", parent);
  part("summary", "", more, "What is asked, what each kind takes and costs, and how the load is reckoned");
  const stated = part("ul", "", more);
  for (const text of figures.stated) part("li", "", stated, text);
  const scroll = part("div", "wb-scroll", more);
  const made = part("table", "", scroll);
  const head = part("tr", "", part("thead", "", made));
  for (const text of figures.heads) part("th", "", head, text).scope = "col";
  const body = part("tbody", "", made);
  for (const row of figures.rows) {
    const line = part("tr", "", body);
    row.forEach((text, index) => { const cell = part(index ? "td" : "th", "", line, text); if (!index) cell.scope = "row"; });
  }
  part("p", "", more, "How the load of a box is reckoned:");
  const rules = part("ul", "", more);
  for (const text of figures.rules) part("li", "", rules, text);
}

function button(text, parent, action, title) {
  const made = part("button", "", parent, text);
  made.type = "button";
  if (title) made.title = title;
  made.addEventListener("click", () => { if (!made.hasAttribute("data-off")) action(); });
  return made;
}

function turn(control, off) {
  control.toggleAttribute("data-off", off);
  control.setAttribute("aria-disabled", off);  // `disabled` would throw the keyboard's focus away
}

function field(label, tag, parent, key) {
  const holder = part("span", "wb-field", parent);
  const id = freshId("design");
  const text = part("label", "", holder, label);
  text.htmlFor = id;
  const made = part(tag, "", holder);
  made.id = id;
  if (key) made.dataset.key = key;
  return made;
}

function choices(select, values, chosen) {
  select.replaceChildren();
  for (const value of values) {
    const option = part("option", "", select, value);
    option.value = value;
    option.selected = value === chosen;
  }
}

function render({ model, el }) {
  const root = part("section", "workbench-design", el);
  const free = keepKeys(root);
  const me = freshId("view");
  const first = `%%answer ${model.get("answer")}`;
  const [w, h] = model.get("size");
  root.setAttribute("aria-label", `Design for ${model.get("answer")}`);
  let chosen = null;        // the name of the box that the panel is about
  let revision = 0;         // of the last thing told to Python
  let waiting = false;      // for its answer
  let dirty = null;         // a timer, while a text was typed that Python has not seen
  let drag = null;
  let stands = null;        // the text that was put into the cell
  let offered = null;       // the text that is there to copy
  const moved = new Map();  // by name: where a box was put by hand

  const tell = (message) => {
    readNow();
    revision += 1;
    waiting = true;
    model.send({ ...message, revision, view: me });
    const mine = revision;
    setTimeout(() => {
      if (waiting && revision === mine) status.textContent = "The kernel is busy. The drawing follows as soon as it is free.";
    }, PATIENCE);
  };
  const state = () => model.get("state");
  const box = (name) => state().boxes.find((each) => each.name === name);

  // --- what there is

  const bar = part("div", "wb-bar", root);
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Draw");
  const kind = field("New box", "select", bar);
  choices(kind, model.get("kinds"), "app server");
  button("Add box", bar, () => tell({ kind: "add", value: kind.value }));
  const undo = button("Undo", bar, () => tell({ kind: "undo" }), "Ctrl+Z");
  const redo = button("Redo", bar, () => tell({ kind: "redo" }), "Ctrl+Shift+Z");
  const tidy = button("Lay out anew", bar, () => { moved.clear(); draw(); });
  const put = button("Put it into the cell", bar, putIt);
  put.classList.add("wb-put");

  const sheet = part("div", "wb-sheet", root);
  const left = part("div", "wb-left", sheet);
  const paper = part("div", "wb-paper", left);
  const svg = shape("svg", { role: "group" }, paper);
  const panel = part("div", "wb-panel", left);
  panel.setAttribute("role", "group");
  const written = part("div", "wb-written", sheet);
  const label = part("label", "wb-label", written, "The same as text, which you may edit");
  const lines = part("div", "wb-lines", written);
  const numbers = part("pre", "wb-numbers", lines);
  numbers.setAttribute("aria-hidden", "true");
  const column = part("div", "wb-column", lines);
  part("code", "wb-first", column, first);
  const area = part("textarea", "", column);
  Object.assign(area, { id: freshId("text"), spellcheck: false, wrap: "off" });
  area.setAttribute("autocapitalize", "off");
  label.htmlFor = area.id;
  const copy = part("div", "wb-copy", root);

  const status = part("div", "wb-status", root);
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");
  const money = part("p", "wb-money", root);
  const wrong = list("Lines that cannot be read");
  const lacks = list("What this design lacks");
  const done = part("details", "wb-met", root);
  const doneHead = part("summary", "", done);
  const doneList = part("ul", "wb-list", done);
  table(model.get("figures"), root);
  const help = part("details", "wb-help", root);
  part("summary", "", help, "Keys and mouse");
  const keys = part("ul", "", help);
  for (const text of [
    "Tab comes to the picture; the arrow keys go from box to box, Page Up and Page Down in the order of the text.",
    "On a box: A goes to “Arrow to”, Enter to its name, + and − change its count, Delete removes it. Escape comes back to the box.",
    "Ctrl+Z takes back the last change, Ctrl+Shift+Z makes it again.",
    "With a mouse: drag a box onto another one for an arrow, or onto free paper to move it. A click on an arrow comes to what flows there.",
    "An arrow goes from who asks to who is asked. Answers need no arrow.",
  ]) part("li", "", keys, text);

  function list(title) {
    const holder = part("div", "wb-found", root);
    const head = part("p", "wb-head", holder, title);
    const made = part("ul", "wb-list", holder);
    made.setAttribute("aria-live", "polite");
    made.setAttribute("aria-label", title);
    return { holder, head, made, title };
  }

  // --- the picture

  function places() {
    return new Map(state().boxes.map((each) => [each.name, { ...(moved.get(each.name) ?? { x: each.x, y: each.y }), stacked: each.count > 1 }]));
  }

  function draw() {
    const { boxes, arrows, paper: [width, height] } = state();
    const held = document.activeElement?.closest?.("[data-box]");
    const hadFocus = held && svg.contains(held);
    const where = places();
    const all = [...where.values()];
    // The picture is in the middle of the paper, which is as wide as there is room: a box that is moved stays under the hand.
    const room = Math.max(width, paper.clientWidth - 10);
    const x = Math.min((width - room) / 2, ...all.map((at) => at.x - w / 2 - 14));
    const right = Math.max((width + room) / 2, ...all.map((at) => at.x + w / 2 + 14));
    const wide = right - x;
    const bottom = Math.max(height, ...all.map((at) => at.y + h / 2 + 14));
    svg.replaceChildren();
    svg.setAttribute("viewBox", `${x} 0 ${wide} ${bottom}`);
    svg.style.width = `${wide}px`;
    svg.style.minWidth = `${0.72 * wide}px`;
    svg.setAttribute("aria-label", `The picture: ${boxes.length} boxes, ${arrows.length} arrows`);
    const head = freshId("head");
    const marker = shape("marker", { id: head, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 11, markerHeight: 11, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" }, shape("defs", {}, svg));
    shape("path", { class: "wb-head-of-arrow", d: "M0 0 L10 5 L0 10 Z" }, marker);
    const under = shape("g", {}, svg);
    ends(arrows, where, [w, h]).forEach((both, index) => {
      const arrow = arrows[index];
      const group = shape("g", { class: "wb-arrow", "aria-hidden": "true" }, under);
      group.classList.toggle("wb-watching", boxes.some((each) => each.name === arrow.from && each.kind === "monitoring"));
      group.classList.toggle("wb-of-chosen", arrow.from === chosen || arrow.to === chosen);
      const d = curve(both);
      const line = shape("path", { class: "wb-line", d, "marker-end": `url(#${head})` }, group);
      shape("path", { class: "wb-reach", d }, group);
      if (arrow.label) {
        const at = line.getPointAtLength(0.56 * line.getTotalLength());
        const said = shortened(arrow.label, LONGEST);
        const long = 6 * said.length + 6;  // about so wide: nothing can be measured before it is on the page
        shape("rect", { class: "wb-behind-flow", x: at.x - long / 2, y: at.y - 8, width: long, height: 15 }, group);
        const text = words(group, "wb-flow", at.x, at.y + 4, said);
        shape("title", {}, text).textContent = arrow.label;
      }
      group.addEventListener("click", () => { choose(arrow.from); focusKey(`label ${arrow.to}`); });
    });
    if (!boxes.length) {
      words(svg, "wb-empty", width / 2, bottom / 2, "Add a box");
    }
    boxes.forEach((each) => drawBox(each, where.get(each.name), arrows));
    if (hadFocus) (svg.querySelector(`[data-box="${chosen}"]`) ?? svg.querySelector("[data-box]") ?? kind).focus();
    tidy.style.display = moved.size ? "" : "none";
  }

  function drawBox(each, at, arrows) {
    const group = shape("g", { class: "wb-box", transform: `translate(${at.x} ${at.y})`, role: "button", tabindex: each.name === chosen ? 0 : -1 }, svg);
    group.dataset.box = each.name;
    group.setAttribute("aria-pressed", each.name === chosen);
    group.setAttribute("aria-label", spoken(each, arrows));
    group.classList.toggle("wb-over", Boolean(each.over));
    shape("rect", { class: "wb-ring", x: -w / 2 - 6, y: -h / 2 - 6, width: w + 12, height: h + 12, rx: 8 }, group);
    if (each.count > 1) shape("path", { class: "wb-outline wb-behind", d: outline(each.kind, w, h), transform: `translate(${STACK} ${-STACK})` }, group);
    shape("path", { class: "wb-outline", d: outline(each.kind, w, h) }, group);
    const text = [["wb-name", `${shortened(each.name, 15)}${each.count > 1 ? ` ×${each.count}` : ""}`]];
    if (each.name !== each.kind) text.push(["wb-kind", each.kind]);
    if (each.load) text.push(["wb-load", each.over ? `! ${each.load}` : each.load]);
    const middle = (STORES.includes(each.kind) ? LID + 1 : 0) - (each.load ? 3 : 0);
    text.forEach(([className, said], index) => words(group, className, 0, middle + 4 + LINE * (index - (text.length - 1) / 2), said));
    if (each.load) {
      const [width, y] = [w - 40, middle + 4 + LINE * (text.length - 1) / 2 + 4.5];
      shape("rect", { class: "wb-gauge", x: -width / 2, y, width, height: 4 }, group);
      shape("rect", { class: "wb-gauge-full", x: -width / 2, y, width: width * Math.min(1, each.share), height: 4 }, group);
    }
    shape("title", {}, group).textContent = each.load ? `${each.name}: ${each.load} ${each.what}${each.over ? `, ${each.over}` : ""}` : each.name;
    group.addEventListener("focus", () => { if (each.name !== chosen) choose(each.name); });
    group.addEventListener("keydown", (event) => pressed(event, each));
  }

  function choose(name) {
    chosen = name;
    for (const group of svg.querySelectorAll("[data-box]")) {
      group.setAttribute("aria-pressed", group.dataset.box === name);
      group.setAttribute("tabindex", group.dataset.box === name ? 0 : -1);
    }
    const arrows = state().arrows;
    svg.querySelectorAll(".wb-arrow").forEach((group, index) => {
      group.classList.toggle("wb-of-chosen", arrows[index].from === name || arrows[index].to === name);
    });
    fillPanel();
  }

  function neighbour(name, [dx, dy]) {
    const where = places();
    const from = where.get(name);
    let best = null;
    for (const [other, at] of where) {
      const [x, y] = [at.x - from.x, at.y - from.y];
      const along = x * dx + y * dy;
      const off = Math.abs(x * dy) + Math.abs(y * dx);
      if (other === name || along < 8 || (dx && off > h)) continue;
      const far = along + (dx ? 2 : 0.5) * off;
      if (!best || far < best.far) best = { other, far };
    }
    return best?.other ?? null;
  }

  function inOrder(name, by) {
    const names = state().boxes.map((each) => each.name);
    return names[(names.indexOf(name) + by + names.length) % names.length];
  }

  function pressed(event, each) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    const act = way ? () => {
      const other = neighbour(each.name, way);
      if (other) svg.querySelector(`[data-box="${other}"]`).focus();
    } : {
      PageUp: () => svg.querySelector(`[data-box="${inOrder(each.name, -1)}"]`).focus(),
      PageDown: () => svg.querySelector(`[data-box="${inOrder(each.name, 1)}"]`).focus(),
      Enter: () => focusKey("name"),
      " ": () => focusKey("name"),
      F2: () => focusKey("name"),
      a: () => focusKey("target"),
      A: () => focusKey("target"),
      "+": () => tell({ kind: "count", name: each.name, value: each.count + 1 }),
      "-": () => each.count > 1 && tell({ kind: "count", name: each.name, value: each.count - 1 }),
      Delete: () => remove(each.name),
      Backspace: () => remove(each.name),
    }[event.key];
    if (act && !(event.shiftKey && event.key === "Enter")) {
      event.preventDefault();
      act();
    }
  }

  function remove(name) {
    chosen = neighbour(name, [0, -1]) ?? neighbour(name, [-1, 0]) ?? neighbour(name, [1, 0]) ?? neighbour(name, [0, 1]);
    moved.delete(name);
    // The keyboard goes to that neighbour: left on “Delete box”, a second Enter would delete another one.
    (svg.querySelector(`[data-box="${chosen}"]`) ?? kind).focus();
    tell({ kind: "delete", name });
  }

  // --- with the mouse

  function point(event) {
    const matrix = svg.getScreenCTM().inverse();
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
  }

  function under(at, except) {
    for (const [name, place] of places()) {
      if (name !== except && Math.abs(at.x - place.x) <= w / 2 && Math.abs(at.y - place.y) <= h / 2) return name;
    }
    return null;
  }

  svg.addEventListener("pointerdown", (event) => {
    const group = event.target.closest("[data-box]");
    if (!group || event.button !== 0) return;
    group.focus();
    drag = { name: group.dataset.box, from: point(event), pointer: event.pointerId, going: false };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const at = point(event);
    if (!drag.going && Math.hypot(at.x - drag.from.x, at.y - drag.from.y) < SLIP) return;
    drag.going = true;
    drag.at = at;
    drag.onto = under(at, drag.name);
    preview();
  });
  svg.addEventListener("pointerup", () => {
    const ended = drag;
    stopDragging();
    if (!ended?.going) return;
    if (ended.onto) tell({ kind: "connect", name: ended.name, other: ended.onto });
    else {
      const was = places().get(ended.name);
      moved.set(ended.name, { x: was.x + ended.at.x - ended.from.x, y: Math.max(h / 2 + 8, was.y + ended.at.y - ended.from.y) });
      draw();
    }
  });
  svg.addEventListener("pointercancel", stopDragging);

  function preview() {
    svg.querySelector(".wb-preview")?.remove();
    const group = shape("g", { class: "wb-preview" }, svg);
    const from = places().get(drag.name);
    if (drag.onto) {
      const to = places().get(drag.onto);
      shape("rect", { x: to.x - w / 2 - 5, y: to.y - h / 2 - 5, width: w + 10, height: h + 10, rx: 8 }, group);
      shape("line", { x1: from.x, y1: from.y, x2: drag.at.x, y2: drag.at.y }, group);
    } else {
      shape("rect", { x: from.x - w / 2 + drag.at.x - drag.from.x, y: from.y - h / 2 + drag.at.y - drag.from.y, width: w, height: h, rx: 6 }, group);
    }
  }

  function stopDragging() {
    if (drag && svg.hasPointerCapture(drag.pointer)) svg.releasePointerCapture(drag.pointer);
    drag = null;
    svg.querySelector(".wb-preview")?.remove();
  }

  // --- the panel of the chosen box

  function focusKey(key) {
    panel.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  function fillPanel() {
    const each = chosen === null ? null : box(chosen);
    const active = panel.contains(document.activeElement) ? document.activeElement : null;
    const kept = active && { key: active.dataset.key, value: active.value, typed: active.tagName === "INPUT", start: active.selectionStart };
    panel.replaceChildren();
    panel.setAttribute("aria-label", each ? `Box ${each.name}` : "No box is chosen");
    if (!each) {
      part("p", "wb-quiet", panel, state().boxes.length ? "Choose a box to change it, or to draw an arrow from it." : "Choose a kind above, and add a box.");
      return;
    }
    const basics = part("div", "wb-row", panel);
    const name = field("Name", "input", basics, "name");
    Object.assign(name, { type: "text", value: each.name, maxLength: 30, size: 14, spellcheck: false });
    name.addEventListener("change", () => tell({ kind: "rename", name: each.name, value: name.value }));
    const count = field("Count", "input", basics, "count");
    Object.assign(count, { type: "number", min: 1, max: 1000, step: 1, value: each.count });
    count.addEventListener("change", () => tell({ kind: "count", name: each.name, value: count.valueAsNumber }));
    const sort = field("Kind", "select", basics, "sort");
    choices(sort, model.get("kinds"), each.kind);
    sort.addEventListener("change", () => tell({ kind: "sort", name: each.name, value: sort.value }));
    button("Delete box", basics, () => remove(each.name)).dataset.key = "delete";

    const mine = state().arrows.filter((arrow) => arrow.from === each.name);
    // Those further from the clients first: to them most arrows go.
    const near = (other) => (other.y > each.y ? 0 : 1);
    const others = state().boxes.filter((other) => other.name !== each.name && !mine.some((arrow) => arrow.to === other.name))
      .sort((a, b) => near(a) - near(b) || Math.abs(a.y - each.y) - Math.abs(b.y - each.y)).map((other) => other.name);
    const joining = part("div", "wb-row", panel);
    const target = field("Arrow to", "select", joining, "target");
    choices(target, others, null);
    const join = button("Draw arrow", joining, () => tell({ kind: "connect", name: each.name, other: target.value }));
    join.dataset.key = "join";
    turn(join, !others.length);
    for (const arrow of mine) {
      const row = part("div", "wb-row", panel);
      const flow = field(`→ ${arrow.to}, what flows`, "input", row, `label ${arrow.to}`);
      Object.assign(flow, { type: "text", value: arrow.label, maxLength: 80, size: 22, spellcheck: false });
      flow.addEventListener("change", () => tell({ kind: "label", name: each.name, other: arrow.to, value: flow.value }));
      const away = button("Remove", row, () => tell({ kind: "disconnect", name: each.name, other: arrow.to }));
      away.setAttribute("aria-label", `Remove the arrow to ${arrow.to}`);
      away.dataset.key = `away ${arrow.to}`;
    }
    if (kept) {
      const again = (kept.key && panel.querySelector(`[data-key="${CSS.escape(kept.key)}"]`)) ?? target;
      if (kept.typed && again.tagName === "INPUT") again.value = kept.value;
      again.focus();
      if (again.type === "text" && kept.start !== null) again.setSelectionRange(kept.start, kept.start);
    }
  }

  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && chosen !== null) svg.querySelector(`[data-box="${chosen}"]`)?.focus();
  });
  root.addEventListener("keydown", (event) => {
    const writing = ["INPUT", "TEXTAREA"].includes(event.target.tagName);
    if (writing || !(event.ctrlKey || event.metaKey) || event.altKey || !["z", "Z", "y"].includes(event.key)) return;
    event.preventDefault();
    tell({ kind: event.key === "z" && !event.shiftKey ? "undo" : "redo" });
  });

  // --- the text

  function readNow() {
    if (dirty === null) return;
    clearTimeout(dirty);
    dirty = null;
    tell({ kind: "text", value: area.value });
  }

  area.addEventListener("input", () => {
    clearTimeout(dirty);
    dirty = setTimeout(readNow, TYPING);
    number();
  });
  area.addEventListener("blur", readNow);

  function number() {
    const wrongLines = new Set(state().problems.map((each) => each.line));
    const count = area.value.split("\n").length;
    area.rows = Math.min(Math.max(count + 1, 12), 40);
    numbers.textContent = Array.from({ length: count + 1 }, (_, i) => `${wrongLines.has(i + 1) ? "✗" : ""}${i + 1}`).join("\n");
  }

  function putIt() {
    readNow();
    copy.replaceChildren();
    if (putIntoCell(first, area.value, el)) {
      stands = area.value;
      status.textContent = STANDS;
      return;
    }
    offered = area.value;
    part("p", "", copy, `No cell is in sight that begins with ${first}. Copy this into it:`);
    const text = part("textarea", "", copy);
    Object.assign(text, { value: `${first}\n${area.value}`.trimEnd(), readOnly: true, rows: 6 });
    text.setAttribute("aria-label", "The text of the cell");
    text.focus();
    text.select();
  }

  // --- what Python says

  function entries(where, found, key, fill) {
    const there = new Map([...where.made.children].map((item) => [item.dataset.id, item]));
    const wanted = found.map((each) => {
      const said = JSON.stringify(each);
      let item = there.get(key(each));
      if (!item || item.dataset.said !== said) {  // what did not change is left alone, or it would be read out again
        item = part("li", "", where.made);
        item.dataset.id = key(each);
        item.dataset.said = said;
        fill(item, each);
      }
      return item;
    });
    where.made.replaceChildren(...wanted);
    where.holder.style.display = found.length ? "" : "none";
    where.head.textContent = `${where.title} (${found.length})`;
  }

  function requirement(item, each) {
    const sign = part("span", "wb-sign", item, each.sign);
    sign.setAttribute("aria-label", { pass: "met", fail: "not met", unknown: "not shown yet" }[each.verdict]);
    sign.setAttribute("role", "img");
    const text = part("span", "", item);
    part("strong", "", text, each.title);
    if (each.got) part("span", "wb-got", text, `${each.got}.`);
    if (each.why) item.title = each.why;
  }

  function show() {
    const now = state();
    if (now.view === me && now.revision === revision) waiting = false;
    if (now.chosen !== null && now.view === me) {
      if (chosen !== null && now.chosen !== chosen && moved.has(chosen) && !now.boxes.some((each) => each.name === chosen)) {
        moved.set(now.chosen, moved.get(chosen));
        moved.delete(chosen);
      }
      chosen = now.chosen;
    }
    if (!now.boxes.some((each) => each.name === chosen)) chosen = now.boxes[0]?.name ?? null;
    if (dirty === null && !waiting && area.value !== now.text) area.value = now.text;
    number();
    draw();
    fillPanel();
    turn(undo, !now.undo);
    turn(redo, !now.redo);
    if (offered !== area.value) copy.replaceChildren();
    status.textContent = stands === area.value && !now.refused ? STANDS : now.said;
    money.textContent = `Costs ${now.money}`;
    entries(wrong, now.problems, (each) => `${each.line} ${each.says}`, (item, each) => {
      part("strong", "", item, `Line ${each.line}: `);
      part("span", "", item, each.says);
    });
    entries(lacks, now.asked.filter((each) => each.verdict !== "pass"), (each) => each.id, requirement);
    const met = now.asked.filter((each) => each.verdict === "pass");
    doneHead.textContent = `What it has (${met.length})`;
    doneList.replaceChildren();
    for (const each of met) requirement(part("li", "", doneList), each);
    done.style.display = met.length ? "" : "none";
  }

  model.on("change:state", show);
  show();
  let room = paper.clientWidth;
  const observer = new ResizeObserver(() => {
    if (paper.clientWidth !== room) {
      room = paper.clientWidth;
      if (!drag) draw();
    }
  });
  observer.observe(paper);
  return () => {
    clearTimeout(dirty);
    observer.disconnect();
    model.off("change:state", show);
    free();
  };
}

export default { render };

// The widget of workbench.notebook.timeline. Every text is set as text: nothing here is ever taken for HTML.

const SVG = "http://www.w3.org/2000/svg";
const ROW = 26;   // height of a row, px
const LANE = 58;  // width of a lane, px

function shape(tag, attributes, parent) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

// The part of a row that lies in the lanes: a dot where it happens, and an arrow to whom it goes.
function drawRow(step, lanes) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("width", LANE * lanes.length);
  svg.setAttribute("height", ROW);
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("wb-row");
  const middle = ROW / 2;
  const x = (lane) => LANE * (lane + 0.5);
  lanes.forEach((_, lane) => shape("line", { class: "wb-lifeline", x1: x(lane), x2: x(lane), y1: 0, y2: ROW }, svg));
  const fault = lanes.indexOf("fault");
  step.faults.forEach((underWay, half) => {
    if (underWay) shape("line", { class: "wb-under-way", x1: x(fault), x2: x(fault), y1: half * middle, y2: (half + 1) * middle }, svg);
  });
  if (step.at === null) return svg;
  if (step.to === null) {
    const marks = { fault: "M0 -7 L7 0 L0 7 L-7 0 Z" };  // a diamond; all others get a square
    const d = marks[lanes[step.at]] ?? "M-5 -5 H5 V5 H-5 Z";
    shape("path", { class: "wb-alone", d, transform: `translate(${x(step.at)} ${middle})` }, svg);
    return svg;
  }
  const way = step.to > step.at ? 1 : -1;
  const end = x(step.to);
  shape("line", { class: step.answer ? "wb-arrow wb-answer" : "wb-arrow", x1: x(step.at), x2: end - 8 * way, y1: middle, y2: middle }, svg);
  shape("path", { class: "wb-head", d: `M${end} ${middle} l${-10 * way} -5 v10 Z` }, svg);
  shape("circle", { class: "wb-dot", cx: x(step.at), cy: middle, r: 4.5 }, svg);
  return svg;
}

// Both scroll within the frame alone: the page stays where the reader put it.
function centre(frame, row) {
  frame.scrollTop = row.offsetTop - frame.offsetTop - (frame.clientHeight - row.offsetHeight) / 2;
}

function reveal(frame, row, covered) {
  const top = row.offsetTop - frame.offsetTop;
  if (top < frame.scrollTop + covered) frame.scrollTop = top - covered;
  else if (top + row.offsetHeight > frame.scrollTop + frame.clientHeight) frame.scrollTop = top + row.offsetHeight - frame.clientHeight;
}

function frame(className, label, parent) {
  const made = part("div", className, parent);
  made.tabIndex = 0;  // what scrolls must be in reach of the keyboard
  made.setAttribute("role", "region");
  made.setAttribute("aria-label", label);
  return made;
}

function timeline(finding, source, parent) {
  const steps = finding.steps;
  const count = steps.length;
  part("p", "wb-subtitle", parent, "What happened, step by step");

  const controls = part("div", "wb-controls", parent);
  controls.setAttribute("role", "group");
  controls.setAttribute("aria-label", "Steps of the timeline");
  const previous = part("button", "", controls, "◀ Previous");
  const slider = part("input", "", controls);
  const next = part("button", "", controls, "Next ▶");
  previous.type = next.type = "button";
  previous.setAttribute("aria-label", "Previous step");
  next.setAttribute("aria-label", "Next step");
  Object.assign(slider, { type: "range", min: 1, max: count, step: 1, value: 1 });
  slider.setAttribute("aria-label", "Step");

  const moment = part("div", "wb-moment", parent);
  const now = part("div", "wb-now", moment);
  now.setAttribute("role", "status");
  now.setAttribute("aria-live", "polite");
  now.setAttribute("aria-atomic", "true");
  const when = part("p", "wb-when", now);
  const what = part("p", "wb-what", now);
  const where = part("p", "wb-where", now);

  let code = null;
  const lines = new Map();
  if (source.some((line) => line.trim())) {
    code = frame("wb-source", "Your cell", moment);
    const ran = new Set(steps.map((step) => step.line));
    const digits = `${source.length}`.length;
    source.forEach((line, index) => {
      const row = part("div", "", code);
      const sign = part("span", "wb-sign", row, ran.has(index + 1) ? "•" : " ");
      sign.setAttribute("aria-hidden", "true");
      part("span", "wb-lineno", row, `${index + 1}`.padStart(digits));
      const text = part("code", "", row, line || " ");
      const hang = line.length - line.trimStart().length + 4;  // what does not fit goes on further in, below
      text.style.paddingLeft = `${hang}ch`;
      text.style.textIndent = `-${hang}ch`;
      lines.set(index + 1, row);
    });
  }

  const list = frame("wb-lanes", "All steps, as a list", parent);
  list.style.setProperty("--wb-lanes", `${LANE * finding.lanes.length}px`);
  const names = part("div", "wb-names", list);
  names.setAttribute("aria-hidden", "true");
  part("span", "", names, "step");
  part("span", "", names, "time (s)");
  const heads = part("span", "wb-heads", names);
  for (const lane of finding.lanes) part("span", "", heads, lane).style.width = `${LANE}px`;
  part("span", "", names, "what");
  const rows = part("ol", "", list);
  const items = steps.map((step, index) => {
    const item = part("li", step.at === null ? "wb-gap" : "", rows);
    part("span", "wb-number", item, `${index + 1}`);
    part("span", "wb-time", item, step.t);
    item.append(drawRow(step, finding.lanes));
    const text = part("span", "wb-label", item);
    if (step.at !== null) part("span", "wb-spoken", text, `${step.who}: `);
    text.append(step.what);
    item.addEventListener("click", () => go(index));
    return item;
  });

  const key = [];  // of what there is
  const arrows = (answer) => steps.some((step) => step.to !== null && step.answer === answer);
  if (arrows(false)) key.push(arrows(true) ? "solid arrows ask" : "arrows ask");
  if (arrows(true)) key.push("dashed arrows answer");
  const alone = (fault) => steps.some((step) => step.at !== null && step.to === null && (finding.lanes[step.at] === "fault") === fault);
  if (alone(false)) key.push("a square is what somebody does alone");
  if (alone(true)) key.push("a diamond is a fault, under way where its line is thick");
  key.push("time is virtual, and the rows are not to scale");
  let note = `In the lanes: ${key.join("; ")}.`;
  if (lines.size && steps.some((step) => step.line !== null)) note += " In your cell: ▶ the line that was running, ▷ the last one before, • others of this timeline.";
  part("p", "wb-note", parent, note);

  function ranWhere(step) {
    const known = (line) => lines.has(line);
    if (step.line !== null) {
      return known(step.line) ? ["Your line ", step.line, " was running: ", source[step.line - 1].trim()] : ["Line ", step.line, " was running."];
    }
    if (steps.every((each) => each.line === null)) return [""];  // many questions to a pure method, say
    const last = step.last === null ? null : steps[step.last];
    if (last === null) return ["None of your lines was running."];
    return ["None of your lines was running. On ", step.server, ` the last one was line ${last.line} (step ${step.last + 1}).`];
  }

  function go(index) {
    const step = steps[index];
    slider.value = index + 1;
    slider.setAttribute("aria-valuetext", `${index + 1} of ${count}`);
    const same = Number(step.after) === 0;
    const after = step.after === "" ? "" : same ? `, the same moment as step ${index}` : `, ${step.after} s after step ${index}`;
    when.textContent = `Step ${index + 1} of ${count}, at ${step.t} s${after}`;
    what.replaceChildren();
    if (step.at !== null) part("strong", "", what, `${step.who}: `);
    what.append(step.what);
    const [lead, number, rest, quoted] = ranWhere(step);
    where.replaceChildren(`${lead}${number ?? ""}${rest ?? ""}`);
    if (quoted) part("code", "", where, quoted);
    items.forEach((item, each) => {
      if (each === index) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    reveal(list, items[index], names.offsetHeight);
    previous.toggleAttribute("data-off", index === 0);
    next.toggleAttribute("data-off", index === count - 1);
    previous.setAttribute("aria-disabled", index === 0);  // `disabled` would throw the keyboard's focus away
    next.setAttribute("aria-disabled", index === count - 1);
    const last = step.line === null && step.last !== null ? steps[step.last].line : null;
    lines.forEach((row, number) => {
      const sign = row.firstChild;
      if (sign.textContent === "▶" || sign.textContent === "▷") sign.textContent = "•";
      row.removeAttribute("aria-current");
      row.classList.remove("wb-last");
      if (number === step.line) {
        sign.textContent = "▶";
        row.setAttribute("aria-current", "true");
        centre(code, row);
      } else if (number === last) {
        sign.textContent = "▷";
        row.classList.add("wb-last");
        centre(code, row);
      }
    });
  }

  const move = (by) => {
    const index = Number(slider.value) - 1 + by;
    if (index >= 0 && index < count) go(index);
  };
  previous.addEventListener("click", () => move(-1));
  next.addEventListener("click", () => move(1));
  slider.addEventListener("input", () => go(Number(slider.value) - 1));
  go(0);
}

function hints(model, finding, parent) {
  const box = part("div", "wb-hints", parent);
  const list = part("ol", "", box);
  list.setAttribute("aria-live", "polite");
  list.setAttribute("aria-label", "Hints");
  const button = part("button", "", box);
  button.type = "button";
  const count = finding.hints.length;
  const asked = () => Math.min(count, model.get("asked")[finding.id] ?? 0);

  function show() {
    for (const hint of finding.hints.slice(list.children.length, asked())) write(part("li", "", list), hint);
    const all = asked() === count;
    button.textContent = all ? (count === 1 ? "The hint is shown" : `All ${count} hints are shown`) : `Hint ${asked() + 1} of ${count}`;
    button.toggleAttribute("data-off", all);
    button.setAttribute("aria-disabled", all);
    list.style.display = asked() ? "" : "none";
  }

  button.addEventListener("click", () => {
    if (asked() === count) return;
    model.set("asked", { ...model.get("asked"), [finding.id]: asked() + 1 });
    model.save_changes();
    show();
  });
  model.on("change:asked", show);
  show();
  return () => model.off("change:asked", show);
}

function render({ model, el }) {
  const root = part("section", "workbench-failures", el);
  const findings = model.get("findings");
  const letGo = keepKeys(root);
  root.setAttribute("aria-label", "What failed, to step through");
  const head = part("div", "wb-head", root);
  const body = part("div", "", root);
  let leave = () => {};

  function show(finding) {
    leave();
    leave = () => {};
    body.replaceChildren();
    const title = part("p", "wb-title", body);
    part("span", `wb-badge wb-${finding.verdict}`, title, finding.badge);
    title.append(" ");
    write(part("span", "", title), finding.heading);
    const five = part("dl", "", body);
    for (const [label, text] of finding.five) {
      part("dt", "", five, label);
      write(part("dd", "", five), text);
    }
    if (finding.run.length) {
      const details = part("details", "", body);
      part("summary", "", details, `The smallest run found that shows it${finding.seed}`);
      const list = part("ul", "", details);
      for (const text of finding.run) write(part("li", "", list), text);
    }
    if (finding.steps.length) timeline(finding, model.get("source"), body);
    if (finding.hints.length) leave = hints(model, finding, body);
  }

  if (findings.length > 1) {
    const id = freshId("finding");
    const label = part("label", "", head, `${findings.length} things to look at: `);
    label.htmlFor = id;
    const select = part("select", "", head);
    select.id = id;
    findings.forEach((finding, index) => {
      part("option", "", select, `${finding.badge}: ${finding.heading.replaceAll("`", "")}`).value = index;
    });
    select.addEventListener("change", () => show(findings[Number(select.value)]));
  }
  show(findings[0]);
  return () => {
    leave();
    letGo();
  };
}

export default { render };

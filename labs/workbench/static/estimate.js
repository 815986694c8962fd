// The widget of workbench.notebook.estimate: assumptions by number or by slider, and the steps that follow from them.

function assumption(model, each, parent) {
  const row = part("div", "wb-assumption", parent);
  const id = freshId("assumption");
  const label = part("label", "", row, each.unit ? `${each.label} (${each.unit})` : each.label);
  label.htmlFor = id;
  const number = part("input", "wb-number", row);
  Object.assign(number, { id, type: "number", min: "0", step: "any" });
  const words = part("span", "wb-words", row);
  const slider = part("input", "wb-slider", row);
  Object.assign(slider, { type: "range", min: String(each.low), max: String(each.high), step: "0.01" });
  slider.setAttribute("aria-label", `${each.label}, by a factor`);
  const tell = (value) => model.send({ kind: "set", name: each.name, value });
  number.addEventListener("change", () => tell(number.valueAsNumber));
  // Rounded to three digits: a slider that gives 38,904,514 links pretends to know more than it does.
  let moving = false;  // an answer to where the thumb just was must not pull it back
  slider.addEventListener("input", () => {
    moving = true;
    tell(Number((10 ** slider.valueAsNumber).toPrecision(3)));
  });
  slider.addEventListener("change", () => { moving = false; });
  return {
    name: each.name,
    show(now) {
      if (document.activeElement !== number || number.valueAsNumber !== now.value) number.value = String(now.value);
      if (!moving) slider.value = String(Math.log10(now.value));
      words.textContent = now.words;
      slider.setAttribute("aria-valuetext", `${now.value.toLocaleString("en")} ${now.unit}`);
    },
  };
}

function derivation(list, lines) {
  list.replaceChildren();
  for (const line of lines) {
    const item = part("li", "", list);
    const first = part("div", "", item);
    part("strong", "", first, line.name);
    part("span", "", first, ` = ${line.names}`);
    if (line.values) part("div", "wb-values", item, `= ${line.values}`);
    const result = part("div", "wb-result", item, line.problem ? `? ${line.problem}` : `= ${line.value}`);
    if (line.problem) result.classList.add("wb-problem");
    if (line.claim) part("div", "wb-claim", item, line.claim);
  }
}

function render({ model, el }) {
  const root = part("section", "workbench-estimate", el);
  const free = keepKeys(root);
  root.setAttribute("aria-label", model.get("title"));
  part("p", "wb-title", root, model.get("title"));
  const given = part("div", "wb-given", root);
  given.setAttribute("role", "group");
  given.setAttribute("aria-label", "Assumptions");
  const rows = model.get("assumptions").map((each) => assumption(model, each, given));
  const reset = part("button", "", root, "As at the beginning");
  reset.type = "button";
  reset.addEventListener("click", () => model.send({ kind: "reset" }));
  const list = part("ol", "wb-steps", root);
  const status = part("div", "wb-status", root);
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");
  const showAssumptions = () => model.get("assumptions").forEach((each, i) => rows[i].show(each));
  const showLines = () => derivation(list, model.get("lines"));
  const showStatus = () => { status.textContent = model.get("status"); };
  model.on("change:assumptions", showAssumptions);
  model.on("change:lines", showLines);
  model.on("change:status", showStatus);
  showAssumptions();
  showLines();
  showStatus();
  return () => {
    model.off("change:assumptions", showAssumptions);
    model.off("change:lines", showLines);
    model.off("change:status", showStatus);
    free();
  };
}

export default { render };

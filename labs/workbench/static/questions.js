// The widget of workbench.tracing.questions: questions with radio buttons. The kernel judges; this shows what it says.

const LETTERS = "abcdefgh";

function question(model, asked, number, parent) {
  const set = part("fieldset", "", parent);
  part("legend", "", set, `${number}. ${asked.text}`);
  const group = freshId("question");
  const radios = asked.choices.map((choice, i) => {
    const row = part("div", "wb-choice", set);
    const radio = part("input", "", row);
    Object.assign(radio, { type: "radio", name: group, id: freshId("choice"), value: LETTERS[i] });
    part("label", "", row, `${LETTERS[i]}) ${choice}`).htmlFor = radio.id;
    return radio;
  });
  const button = part("button", "", set, "Answer");
  button.type = "button";
  button.setAttribute("aria-label", `Answer question ${number}`);
  const said = part("p", "wb-verdict", set);
  said.setAttribute("role", "status");
  said.setAttribute("aria-live", "polite");
  button.addEventListener("click", () => {
    const chosen = radios.find((radio) => radio.checked);
    if (chosen) model.send({ kind: "choose", number, choice: chosen.value });
    else said.textContent = "Choose one first.";
  });
  const stale = () => { said.replaceChildren(); said.className = "wb-verdict"; };
  radios.forEach((radio) => radio.addEventListener("change", stale));
  return (verdict) => {
    if (!verdict) return;
    said.replaceChildren();
    part("span", "wb-mark", said, verdict.right ? "✓ " : "✗ ").setAttribute("aria-hidden", "true");
    said.append(verdict.text);
    said.className = `wb-verdict ${verdict.right ? "wb-right" : "wb-wrong"}`;
  };
}

function render({ model, el }) {
  const root = part("section", "workbench-questions", el);
  const free = keepKeys(root);
  root.setAttribute("aria-label", "Questions about your requests");
  const list = part("ul", "wb-requests", root);
  for (const line of model.get("requests")) part("li", "", list, line);
  const shows = model.get("asked").map((asked, i) => question(model, asked, i + 1, root));
  const status = part("div", "wb-status", root);
  let before = {};
  const showVerdicts = () => {
    const now = model.get("verdicts");
    shows.forEach((show, i) => {
      const key = String(i + 1);
      if (now[key]?.turn !== before[key]?.turn) show(now[key]);
    });
    before = now;
  };
  const showStatus = () => { status.textContent = model.get("status"); };
  model.on("change:verdicts", showVerdicts);
  model.on("change:status", showStatus);
  showVerdicts();
  showStatus();
  return () => {
    model.off("change:verdicts", showVerdicts);
    model.off("change:status", showStatus);
    free();
  };
}

export default { render };

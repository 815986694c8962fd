// Puts a text into the notebook's cell that keeps an answer. JupyterLab gives a widget no way to do so: it is done as a
// person would, in the cell's editor (CodeMirror 6), and looked at afterwards.

function editorView(content) {
  const known = content.cmTile ?? content.cmView;  // the name differs between versions
  return [known?.view, known?.root?.view, known?.rootView?.view].find((view) => view?.state?.doc && view.dispatch) ?? null;
}

function editorText(content) {
  const view = editorView(content);
  return view ? view.state.doc.toString() : [...content.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n");
}

// The editor whose first line is `first`: of the cell that the widget stands in, else of another cell of its notebook.
function editorThatBegins(first, el) {
  const editor = (cell) => cell.querySelector(".jp-InputArea-editor .cm-content");
  const begins = (content) => content && editorText(content).split("\n", 1)[0].trim() === first;
  const cells = [el.closest(".jp-CodeCell"), ...(el.closest(".jp-Notebook")?.querySelectorAll(".jp-CodeCell") ?? [])];
  return cells.filter(Boolean).map(editor).find(begins) ?? null;
}

function pasteOver(content, text) {
  content.focus();
  document.getSelection().selectAllChildren(content);
  // Browsers differ in what a made-up ClipboardEvent carries; CodeMirror only asks for this.
  const event = new Event("paste", { bubbles: true, cancelable: true });
  const clipboardData = { types: ["text/plain"], files: [], items: [], getData: (type) => (type === "text/plain" ? text : "") };
  Object.defineProperty(event, "clipboardData", { value: clipboardData });
  content.dispatchEvent(event);
}

// Whether the text stands in the cell now.
function putIntoCell(first, body, el) {
  const content = editorThatBegins(first, el);
  if (!content) return false;
  const text = `${first}\n${body}`.trimEnd();
  const view = editorView(content);
  if (view?.state.readOnly) return false;
  if (view) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  else pasteOver(content, text);
  return editorText(content).trimEnd() === text;
}

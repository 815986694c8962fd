// What our widgets share; put in front of each one's own text.

// Each widget on a page may have loaded this text anew, so a counter alone would give the same ids twice.
const here = Math.random().toString(36).slice(2);
let made = 0;

function freshId(kind) {
  made += 1;
  return `wb-${kind}-${here}-${made}`;
}

function part(tag, className, parent, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

// JupyterLab's shortcuts must not take the keys of our controls; but what runs a cell goes on to do so. It looks for
// this attribute at the document, so we decide on the way there, at the window.
function keepKeys(root) {
  const runsCell = (event) => event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
  const decide = (event) => {
    if (runsCell(event)) delete root.dataset.lmSuppressShortcuts;
    else root.dataset.lmSuppressShortcuts = "true";
  };
  root.dataset.lmSuppressShortcuts = "true";
  window.addEventListener("keydown", decide, true);
  root.addEventListener("keydown", (event) => runsCell(event) || event.stopPropagation());
  return () => window.removeEventListener("keydown", decide, true);
}

// Sets `text` as the content of `parent`: what stands between backticks as code, and all of it as text.
function write(parent, text) {
  parent.replaceChildren();
  text.split(/`([^`\n]{1,80})`/).forEach((piece, index) => {
    if (index % 2) part("code", "", parent, piece);
    else if (piece) parent.append(piece);
  });
}

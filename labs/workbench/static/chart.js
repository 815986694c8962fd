// The widget of workbench.notebook.chart. `uPlot` is defined by the vendored build in front of this text.
// `model.get("x_max")`: where the axis ends at least; null where the data decide.

function paper(el) {
  return getComputedStyle(el).getPropertyValue("--jp-layout-color0").trim() || "#fff";
}

function ink(el) {
  return getComputedStyle(el).color || "#222";
}

function format(value, digits) {
  return value === null || value === undefined ? "–" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function brief(value) {
  return value === null || value === undefined ? "" : value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

// A line's colour and dashes, as a CSS background for its mark in the legend.
function strokeOf(line) {
  const stops = [];
  let at = 0;
  line.dash.forEach((length, i) => {
    const colour = i % 2 ? "transparent" : line.colour;
    stops.push(`${colour} ${at}px ${at + length}px`);
    at += length;
  });
  return stops.length ? `repeating-linear-gradient(90deg, ${stops.join(", ")})` : line.colour;
}

function drawMarks(model) {
  return (plot) => {
    const marks = model.get("marks");
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = ink(plot.root);
    ctx.lineWidth = scale;
    ctx.setLineDash([3 * scale, 3 * scale]);
    ctx.font = `${12 * scale}px system-ui, sans-serif`;
    marks.forEach((mark, number) => {
      const x = Math.round(plot.valToPos(mark.x, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const right = x < bbox.left + bbox.width * 0.7;  // the text stands on the side that has room
      ctx.textAlign = right ? "left" : "right";
      ctx.textBaseline = "top";
      const left = x + (right ? 5 : -5) * scale;
      const top = bbox.top + (3 + 15 * (number % 4)) * scale;
      const wide = ctx.measureText(mark.text).width;
      ctx.fillStyle = paper(plot.root);  // a curve may pass here: the text must stay readable
      ctx.globalAlpha = 0.75;  // and the curve must not be lost
      ctx.fillRect((right ? left : left - wide) - 2 * scale, top - scale, wide + 4 * scale, 15 * scale);
      ctx.globalAlpha = 1;
      ctx.fillStyle = ink(plot.root);
      ctx.fillText(mark.text, left, top);
    });
    ctx.restore();
  };
}

function options(model, panel, width, colour) {
  const grid = { stroke: "rgba(128,128,128,0.25)", width: 1 };
  const axis = { stroke: colour, grid, ticks: grid, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif" };
  // A load that a busy machine cannot keep up with ends late, and what happened in it then is not to be cut off.
  // All panels end together: a moment stands at the same place in each.
  const last = () => Math.max(0, ...model.get("columns").map((columns) => columns[0]?.at(-1) ?? 0));
  const until = () => [0, Math.max(model.get("x_max"), last(), ...model.get("marks").map((mark) => mark.x))];
  const dots = (model.get("columns")[0]?.[0]?.length ?? 0) < 30 && !model.get("running");
  return {
    width,
    padding: [null, model.get("x_log") ? 44 : 28, null, null],  // the last label of the x axis stands half beyond it
    height: model.get("panels").length > 1 ? 190 : 260,
    cursor: { sync: { key: model.model_id ?? "one" }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, distr: model.get("x_log") ? 3 : 1, ...(model.get("x_max") === null ? {} : { range: until }) },
      y: panel.yRange ? { range: panel.yRange } : { distr: panel.log ? 3 : 1, range: panel.log ? undefined : (u, min, max) => [0, Math.max(max ?? 1, 1e-9) * 1.1] },
    },
    axes: [
      { ...axis, label: model.get("x_label"), labelSize: 20, size: 30, ...(model.get("x_log") ? { values: (u, ticks) => ticks.map(brief) } : {}) },
      { ...axis, label: panel.yLabel, labelSize: 18, size: 56 },
    ],
    series: [
      { label: model.get("x_label"), value: (u, v) => (v === null ? "" : format(v, 2)) },
      ...panel.lines.map((line) => ({
        label: line.label,
        stroke: line.colour,
        dash: line.dash,
        width: 2,
        spanGaps: !panel.gaps,
        points: { show: dots, size: 6 },
        value: (u, v) => (v === null || v === undefined ? "" : format(v, line.digits)),
      })),
    ],
    legend: { markers: { width: 0, fill: (u, i) => (i ? strokeOf(panel.lines[i - 1]) : "none") } },
    hooks: { draw: [drawMarks(model)] },
  };
}

function nameOf(panel) {
  return panel.title ? `${panel.title} (${panel.yLabel})` : panel.yLabel;
}

function fillTable(model, holder) {
  holder.replaceChildren();
  model.get("panels").forEach((panel, number) => {
    const columns = model.get("columns")[number] ?? [];
    const table = document.createElement("table");
    table.className = "wb-figures";
    table.createCaption().textContent = nameOf(panel);
    const head = table.createTHead().insertRow();
    for (const name of [model.get("x_label"), ...panel.lines.map((line) => line.label)]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = name;
      head.append(cell);
    }
    const body = table.createTBody();
    (columns[0] ?? []).forEach((x, row) => {
      const line = body.insertRow();
      line.insertCell().textContent = Math.abs(x) < 0.01 ? brief(x) : format(x, Number.isInteger(x) ? 0 : 2);
      panel.lines.forEach((style, i) => {
        line.insertCell().textContent = format(columns[i + 1][row], style.digits);
      });
    });
    holder.append(table);
  });
  const marks = model.get("marks");
  if (marks.length) {
    const note = document.createElement("p");
    note.textContent = "Marks: " + marks.map((mark) => `${mark.text} at ${format(mark.x, 1)}`).join("; ");
    holder.append(note);
  }
}

function render({ model, el }) {
  const root = part("section", "workbench-chart", el);
  const free = keepKeys(root);
  root.setAttribute("aria-label", model.get("title"));

  const head = part("div", "wb-head", root);
  part("p", "wb-title", head).textContent = model.get("title");
  const stop = part("button", "", head);
  stop.type = "button";
  stop.textContent = "Stop";
  stop.addEventListener("click", () => {
    if (stop.getAttribute("aria-disabled")) return;
    stop.setAttribute("aria-disabled", "true");  // `disabled` would throw the keyboard's focus away
    stop.textContent = "Stopping …";
    model.send({ kind: "stop" });
  });
  const status = part("div", "wb-status", root);
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");

  const panels = part("div", "", root);
  const details = part("details", "", root);
  part("summary", "", details).textContent = "The figures as a table";
  const figures = part("div", "wb-table", details);
  figures.tabIndex = 0;
  figures.setAttribute("role", "region");
  figures.setAttribute("aria-label", "The figures as a table");
  const more = part("p", "wb-more", details);
  more.textContent = "Scroll within the frame for the other rows.";

  function showFigures() {
    if (!details.open) return;
    fillTable(model, figures);
    more.style.display = figures.scrollHeight > figures.clientHeight ? "" : "none";
  }

  let plots = [];
  const width = () => Math.max(320, Math.min(860, root.clientWidth || el.clientWidth || 720));

  function build() {
    plots.forEach((plot) => plot.destroy());
    panels.replaceChildren();
    plots = model.get("panels").map((panel, number) => {
      if (panel.title) part("p", "wb-panel-title", panels).textContent = panel.title;
      const holder = part("div", "wb-panel", panels);
      holder.setAttribute("role", "img");
      const names = panel.lines.map((line) => `${line.label} (${line.shade}${line.dash.length ? ", dashed" : ""})`).join(", ");
      holder.setAttribute("aria-label", `Chart of ${nameOf(panel)}: ${names}. The table below has the same figures.`);
      return new uPlot(options(model, panel, width(), ink(root)), model.get("columns")[number], holder);
    });
  }

  function update() {
    const columns = model.get("columns");
    plots.forEach((plot, number) => plot.setData(columns[number]));
    showFigures();
  }

  function showStatus() {
    status.textContent = model.get("status");
    status.style.display = model.get("status") ? "" : "none";
  }

  function showRunning() {
    const running = model.get("running");
    const held = document.activeElement === stop;
    stop.style.display = running ? "" : "none";
    if (!running && held) details.querySelector("summary").focus();  // the keyboard keeps its place
  }

  details.addEventListener("toggle", showFigures);
  model.on("change:columns", update);
  model.on("change:marks", update);
  model.on("change:panels", build);
  model.on("change:status", showStatus);
  model.on("change:running", showRunning);
  const observer = new ResizeObserver(() => plots.forEach((plot) => plot.width !== width() && plot.setSize({ width: width(), height: plot.height })));
  observer.observe(el);
  build();
  showStatus();
  showRunning();
  return () => {
    observer.disconnect();
    free();
    plots.forEach((plot) => plot.destroy());
  };
}

export default { render };

// Draws each figure of the page in the colours of its theme. The page says everything without it, in tables.
"use strict";

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function themed(layout) {
  const axis = { gridcolor: colour("--rule"), zerolinecolor: colour("--rule"), linecolor: colour("--rule"), tickcolor: colour("--rule") };
  const result = {
    ...layout,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("--text"), family: "system-ui, sans-serif", size: 12 },
    hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--rule"), font: { color: colour("--text") } },
    autosize: true,
  };
  for (const name of Object.keys(layout)) {
    if (/^[xy]axis/.test(name)) {
      result[name] = { ...axis, ...layout[name] };
    }
  }
  return result;
}

// Below this width the long labels of an axis would leave no room for what they label.
const NARROW_PX = 600;

function fitted(layout, width) {
  const narrow = (layout.meta && layout.meta.narrow) || {};
  const result = { ...layout };
  if (width < NARROW_PX) {
    for (const [name, changes] of Object.entries(narrow)) {
      result[name] = changes instanceof Object ? { ...layout[name], ...changes } : changes;
    }
  }
  return result;
}

function draw() {
  for (const element of document.querySelectorAll(".chart[data-figure]")) {
    const source = document.getElementById("figure-" + element.dataset.figure);
    if (!source) {
      continue;
    }
    const figure = JSON.parse(source.textContent);
    const layout = fitted(figure.layout, element.clientWidth);
    element.classList.toggle("own-height", Boolean(layout.height));
    Plotly.react(element, figure.data, themed(layout), { responsive: true, displayModeBar: false, displaylogo: false });
  }
}

draw();
document.addEventListener("themechange", draw);
matchMedia(`(max-width: ${NARROW_PX}px)`).addEventListener("change", draw);

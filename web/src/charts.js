// Charts that one reads at a glance: <figure data-chart> with its data in a <script type="application/json"> or at data-src.
//
//   {"unit": "kW", "from": ms, "to": ms, "now": ms, "zone": "Europe/Prague",
//    "series": [{"name": "Power", "meaning": "car", "shape": "line|step|bar|area", "points": [[ms, 7.2], [ms, null]],
//                "unit": "kW", "axis": 0|1, "dash": "long|short|dotted", "forecast": false, "field": "power_w", "scale": 0.001, "stack": "flow"}],
//    "limits": [{"name": "Limit", "value": 11}], "slot": "day|month"}
//
// One meaning per colour (tokens.css); null is a gap; what lies after `now` is lighter and hatched; slots are steps. With
// data-append-on="sample" a live event {at_ms, <field>: number} appends a point, without drawing anything anew. With `slot` each point is a
// whole day or month: bars stand beside each other, and labels are as far apart as there is room, the last one with them.
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, DataZoomInsideComponent, GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { locale } from "./enhance.js";

echarts.use([AriaComponent, BarChart, CanvasRenderer, DataZoomInsideComponent, GridComponent, LineChart, MarkLineComponent, TooltipComponent]);

const still = matchMedia("(prefers-reduced-motion: reduce)");
const DASHES = { long: [10, 5], short: [5, 4], dotted: [2, 3] };
const HATCH = { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -Math.PI / 4, color: "rgba(255,255,255,0.45)" };

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function dates(data) {
  const zone = data.zone || undefined;
  const make = (how) => new Intl.DateTimeFormat(locale(), { ...how, timeZone: zone });
  return {
    clock: make({ hour: "2-digit", minute: "2-digit" }), day: make({ day: "numeric", month: "short" }), month: make({ month: "short", year: "numeric" }),
    second: make({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    full: make({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  };
}

const LABEL_WIDTH = 72;

function slotAxis(data, write, width, text, line) {
  const times = data.series[0].points.map(([at]) => at);
  const step = Math.ceil(times.length / Math.max(2, Math.floor(width / LABEL_WIDTH)));
  return {
    type: "category", data: times.map(String), axisTick: { show: false }, axisLine: { lineStyle: { color: line } },
    axisLabel: { ...text, interval: (index) => (times.length - 1 - index) % step === 0, formatter: (at) => write[data.slot].format(Number(at)) },
  };
}

function digits(value) {
  if (value === null || value === undefined) return "\u2003—";
  return new Intl.NumberFormat(locale(), Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 }).format(value);
}

function seriesOf(one, data) {
  const colour = token(one.meaning || "accent");
  const bar = one.shape === "bar";
  const parts = { name: one.name, type: bar ? "bar" : "line", yAxisIndex: one.axis ?? 0, stack: one.stack, color: colour, emphasis: { disabled: true } };
  const shape = bar ? { barMaxWidth: 28, itemStyle: { borderRadius: [3, 3, 0, 0], opacity: one.forecast ? 0.55 : 1, decal: one.forecast ? HATCH : undefined } } : {
    showSymbol: false, symbolSize: 7, step: one.shape === "step" ? "end" : false, connectNulls: false, sampling: "lttb",
    lineStyle: { width: one.meaning === "price" ? 1.5 : 2.25, type: DASHES[one.dash] ?? (one.forecast ? "dashed" : "solid"), opacity: one.forecast ? 0.7 : 1 },
    areaStyle: one.shape === "area" || one.shape === "step-area" ? { opacity: one.forecast ? 0.08 : 0.16, decal: one.forecast ? HATCH : undefined } : undefined,
  };
  if (one.shape === "step-area") shape.step = "end";
  return { ...parts, ...shape, data: one.points.map(([at, value]) => (data.slot ? value : [at, value])) };
}

function marksOf(data, ink) {
  const marks = (data.limits ?? []).map((limit) => ({
    yAxis: limit.value, name: limit.name,
    lineStyle: { color: token("limit"), type: "dashed", width: 1.75 },
    label: { formatter: `${limit.name} ${digits(limit.value)} ${data.unit ?? ""}`, position: "insideEndTop", color: token("limit"), fontWeight: 600 },
  }));
  if (data.now) marks.push({ xAxis: data.now, lineStyle: { color: ink, type: "solid", width: 1, opacity: 0.6 }, label: { show: false } });
  return marks;
}

function optionOf(data, height, width) {
  const soft = token("ink-soft");
  const line = token("line");
  const font = getComputedStyle(document.body).fontFamily;
  const write = dates(data);
  const text = { color: soft, fontFamily: font, fontSize: 12 };
  const series = data.series.map((one) => seriesOf(one, data));
  if (series[0]) series[0].markLine = { silent: true, symbol: "none", animation: false, data: marksOf(data, token("ink")) };
  const units = [data.unit, ...data.series.filter((one) => one.axis === 1).map((one) => one.unit)].slice(0, 2);
  const times = data.series.flatMap((one) => [one.points[0], one.points.at(-1)].filter(Boolean).map(([at]) => at));
  const span = (data.to ?? Math.max(...times)) - (data.from ?? Math.min(...times));
  const tick = span > 2.5 * 86400000 ? write.day : span > 6 * 60000 ? write.clock : write.second;
  return {
    animation: false, textStyle: { fontFamily: font }, backgroundColor: "transparent",
    aria: { enabled: true, label: { enabled: false } },
    grid: { left: 8, right: units[1] ? 8 : 14, top: 26, bottom: 4, containLabel: true },
    xAxis: data.slot ? slotAxis(data, write, width, text, line) : data.categories ? { type: "category", data: data.categories, axisLabel: text, axisTick: { show: false }, axisLine: { lineStyle: { color: line } } } : {
      type: "time", min: data.from, max: data.to, splitNumber: 4, axisTick: { show: false }, axisLine: { lineStyle: { color: token("line-strong") } },
      axisLabel: { ...text, hideOverlap: true, formatter: (value) => tick.format(value) },
      axisPointer: { lineStyle: { color: soft } }, splitLine: { show: false },
    },
    yAxis: units.map((unit, index) => ({
      type: "value", name: unit, position: index ? "right" : "left", min: data.min ?? (index ? undefined : (range) => Math.min(0, range.min)),
      nameTextStyle: { ...text, align: index ? "right" : "left", padding: index ? [0, 0, 0, 0] : [0, 0, 0, -4] },
      splitNumber: height < 190 ? 2 : 4, alignTicks: index === 1, splitLine: { show: !index, lineStyle: { color: line } }, axisLabel: { ...text, formatter: digits },
    })),
    tooltip: {
      trigger: "axis", renderMode: "richText", confine: true, backgroundColor: token("card"), borderColor: token("line-strong"),
      textStyle: { color: token("ink"), fontFamily: font, fontSize: 13 },
      formatter: (points) => reading(points, data, write).join("\n"),
    },
    dataZoom: data.categories || data.slot ? [] : [{ type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, filterMode: "none" }],
    series,
  };
}

const moment = (data, write, at) => (data.slot ? write[data.slot] : write.full).format(at);

function reading(points, data, write) {
  const head = data.categories ? points[0].name : moment(data, write, data.slot ? Number(points[0].name) : points[0].value[0]);
  return [head, ...points.map((point) => {
    const one = data.series[point.seriesIndex];
    const value = Array.isArray(point.value) ? point.value[1] : point.value;
    return `${one.name}: ${digits(value)}\u2009${one.unit ?? data.unit ?? ""}`;
  })];
}

function tableOf(data, place) {
  const write = dates(data);
  const times = [...new Set(data.series.flatMap((one) => one.points.map(([at]) => at)))].sort((a, b) => a - b);
  const rows = times.slice(-2000).map((at) => [at, ...data.series.map((one) => one.points.find(([when]) => when === at)?.[1] ?? null)]);
  const cell = (kind, content, number) => Object.assign(document.createElement(kind), { textContent: content, className: number ? "number" : "" });
  const head = document.createElement("tr");
  head.append(cell("th", place.dataset.timeLabel ?? "", false), ...data.series.map((one) => cell("th", `${one.name} (${one.unit ?? data.unit ?? ""})`, true)));
  for (const heading of head.children) heading.scope = "col";
  const body = document.createElement("tbody");
  for (const [at, ...values] of rows) {
    const row = document.createElement("tr");
    row.append(cell("td", data.categories ? data.categories[at] : moment(data, write, at), false), ...values.map((value) => cell("td", digits(value), true)));
    body.append(row);
  }
  const table = Object.assign(document.createElement("table"), { className: "table" });
  const top = document.createElement("thead");
  top.append(head);
  table.append(top, body);
  place.replaceChildren(table);
}

function csvOf(data) {
  const quote = (text) => `"${String(text).replaceAll('"', '""')}"`;
  const lines = [["time", ...data.series.map((one) => `${one.name} (${one.unit ?? data.unit ?? ""})`)].map(quote).join(",")];
  const times = [...new Set(data.series.flatMap((one) => one.points.map(([at]) => at)))].sort((a, b) => a - b);
  for (const at of times) {
    const when = data.categories ? data.categories[at] : new Date(at).toISOString();
    lines.push([when, ...data.series.map((one) => one.points.find(([time]) => time === at)?.[1] ?? "")].join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

export async function draw(figure) {
  const canvas = figure.querySelector(".chart-canvas");
  const inline = figure.querySelector("script[type='application/json']");
  const load = async () => (figure.dataset.src ? (await fetch(figure.dataset.src, { credentials: "same-origin" })).json() : JSON.parse(inline.textContent));
  let data;
  try { data = await load(); } catch { return; }
  const chart = echarts.init(canvas, null, { renderer: "canvas" });
  figure.chart = chart;
  const table = figure.querySelector("[data-chart-table]");
  const paint = () => {
    canvas.removeAttribute("data-waiting");
    chart.setOption(optionOf(data, canvas.clientHeight, canvas.clientWidth), { notMerge: true });
    if (table?.closest("details")?.open) tableOf(data, table);
  };
  paint();
  new ResizeObserver(() => { chart.resize(); if (data.slot) paint(); }).observe(canvas);
  document.addEventListener("theme", paint);
  table?.closest("details").addEventListener("toggle", () => tableOf(data, table));
  figure.querySelector("[data-chart-csv]")?.addEventListener("click", (event) => {
    event.preventDefault();
    const link = Object.assign(document.createElement("a"), { download: `${figure.id || "chart"}.csv` });
    link.href = URL.createObjectURL(new Blob([csvOf(data)], { type: "text/csv" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  keys(canvas, figure, chart, () => data);
  if (figure.dataset.appendOn || figure.dataset.src) {
    document.addEventListener("live", async ({ detail }) => {
      if (!figure.isConnected || !(figure.dataset.appendOn ?? "").split(" ").includes(detail.name)) return;
      if (append(data, detail.data ?? {})) {
        const marks = { markLine: { data: marksOf(data, token("ink")) } };
        chart.setOption({ xAxis: { max: data.to }, series: data.series.map((one, index) => ({ data: one.points, ...(index ? {} : marks) })) });
      } else if (figure.dataset.src) {
        data = await load();
        paint();
      }
    });
  }
  if (still.matches) canvas.dataset.still = "";
}

function append(data, said) {
  if (!said.at_ms) return false;
  let any = false;
  for (const one of data.series) {
    if (one.field && one.field in said && said.at_ms > (one.points.at(-1)?.[0] ?? 0)) {
      const value = said[one.field];
      one.points.push([said.at_ms, value === null ? null : value * (one.scale ?? 1)]);
      any = true;
    }
  }
  if (any && data.to) data.to = Math.max(data.to, said.at_ms);
  if (any && data.now) data.now = said.at_ms;
  return any;
}

function keys(canvas, figure, chart, dataNow) {
  const said = figure.querySelector("[data-chart-said]");
  let at = -1;
  canvas.addEventListener("keydown", (event) => {
    const data = dataNow();
    const count = data.series[0]?.points.length ?? 0;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -count, End: count }[event.key];
    if (!step || !count) return;
    event.preventDefault();
    at = Math.min(count - 1, Math.max(0, (at < 0 ? count : at) + step));
    chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: at });
    const time = data.series[0].points[at][0];
    const points = data.series.map((one, seriesIndex) => ({ seriesIndex, name: data.categories?.[at] ?? String(time), value: one.points.find(([when]) => when === time) ?? [time, null] }));
    if (said) said.textContent = reading(points, data, dates(data)).join(", ");
  });
  canvas.addEventListener("blur", () => chart.dispatchAction({ type: "hideTip" }));
}

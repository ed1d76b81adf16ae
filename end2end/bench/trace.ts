// What a trace of Chromium says: which frames reached the screen and when, and what the page's main thread did. Pure.

/// What is traced: frames, the main thread's work, the page's own marks.
export const CATEGORIES = [
  "devtools.timeline",
  "disabled-by-default-devtools.timeline",
  "disabled-by-default-devtools.timeline.frame",
  "blink.user_timing",
  "v8",
];
/// The page's marks around the time that counts: starting and ending a trace takes time itself.
export const [BEGIN, END] = ["ottla-begin", "ottla-end"];

/// A task of the main thread that keeps it from anything else for longer, in milliseconds, is a long one (W3C, Long Tasks).
const LONG_TASK = 50;

/// Trace Event Format: times in microseconds.
export interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  /// Of a processor.
  tdur?: number;
  id2?: { local?: string };
  args?: {
    name?: string;
    frame_reporter?: { state: string };
    data?: { frames?: { processId: number; isOutermostMainFrame: boolean }[] };
  };
}

export interface Trace {
  traceEvents: TraceEvent[];
}

interface Spread {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/// What the page's frames and its main thread came to, between its marks. Times in milliseconds.
export function analyse({ traceEvents: events }: Trace): Record<string, unknown> {
  const frames = events.find(({ name }) => name === "TracingStartedInBrowser")?.args?.data?.frames;
  const pid = frames?.find(({ isOutermostMainFrame }) => isOutermostMainFrame)?.processId;
  const tid = events.find((event) => event.pid === pid && event.name === "thread_name" && event.args?.name === "CrRendererMain")?.tid;
  const own = events.filter((event) => event.pid === pid);
  const at = (mark: string) => own.find(({ name }) => name === mark)?.ts;
  const [begin, end] = [at(BEGIN), at(END)];
  if (tid === undefined || begin === undefined || end === undefined) throw new Error("the trace has no page, or not its marks");
  const inside = own.filter(({ ts }) => ts >= begin && ts < end).sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
  const seconds = (end - begin) / 1e6;
  return {
    seconds,
    frames: onScreen(inside, seconds),
    long_tasks: longTasks(inside.filter((event) => event.tid === tid)),
    main_thread: shares(inside.filter((event) => event.tid === tid && event.ph === "X"), end - begin),
  };
}

/// Frames with what the main thread last did. A PipelineReporter is Chromium's own account of a frame: it begins at the display's
/// tick and ends when the frame is on the screen; one that the compositor sent without the main thread's part is *partial*.
function onScreen(events: TraceEvent[], seconds: number): Record<string, unknown> {
  const open = new Map<string, TraceEvent>();
  const shown: { tick: number; at: number }[] = [];
  const states: Record<string, number> = {};
  for (const event of events.filter(({ name }) => name === "PipelineReporter")) {
    const id = event.id2?.local ?? "";
    if (event.ph === "b") {
      open.set(id, event);
      continue;
    }
    const begun = open.get(id);
    const state = begun?.args?.frame_reporter?.state ?? "";
    states[state] = (states[state] ?? 0) + 1;
    if (begun && state === "STATE_PRESENTED_ALL") shown.push({ tick: begun.ts / 1_000, at: event.ts / 1_000 });
  }
  return {
    per_second: shown.length / seconds,
    // From the tick of the display that a frame is for to that of the next one that was shown: a multiple of 16.67.
    interval_ms: spread(intervals(shown.map(({ tick }) => tick).sort((a, b) => a - b))),
    // Between the moments at which they were there. Without a display nothing holds them for its tick.
    shown_interval_ms: spread(intervals(shown.map(({ at }) => at).sort((a, b) => a - b))),
    // From the tick to that moment.
    took_ms: spread(shown.map(({ tick, at }) => at - tick)),
    states,
  };
}

function longTasks(events: TraceEvent[]): Record<string, unknown> {
  const tasks = events.filter(({ name, ph }) => name === "RunTask" && ph === "X").map(({ dur = 0 }) => dur / 1_000);
  const long = tasks.filter((task) => task > LONG_TASK);
  return {
    count: long.length,
    longest_ms: Math.max(0, ...tasks),
    // Beyond the 50 ms that each may take.
    blocking_ms: long.reduce((sum, task) => sum + task - LONG_TASK, 0),
  };
}

/// Which kind of work an event is, by its name; what is none of these belongs to what it is in.
const KINDS: [string, RegExp][] = [
  ["gc", /^(MinorGC|MajorGC|V8\.GC|BlinkGC|CppGC)/],
  ["scripting", /^(FunctionCall|EvaluateScript|EventDispatch|TimerFire|FireAnimationFrame|RunMicrotasks|WebSocketReceive|v8\.)/],
  ["parsing", /^ParseHTML$/],
  ["style", /^(UpdateLayoutTree|RecalculateStyles|ScheduleStyleRecalculation)$/],
  ["layout", /^Layout$/],
  ["painting", /^(PrePaint|Paint|UpdateLayer|Layerize|Commit|CompositeLayers|UpdateLayerTree)$/],
];

/// Which share of the time the main thread was busy, and which share of it that work had a processor: by its kind, and together.
function shares(events: TraceEvent[], span: number): Record<string, number> {
  const sums: Record<string, number> = { busy: 0, processor: 0 };
  const add = (kind: string, time: number) => (sums[kind] = (sums[kind] ?? 0) + time / span);
  // Those around the event in hand; sorted by their beginning, they are nested.
  const around: { kind: string; until: number }[] = [];
  for (const { name, ts, dur = 0, tdur = 0 } of events) {
    while ((around.at(-1)?.until ?? Number.POSITIVE_INFINITY) <= ts) around.pop();
    const outer = around.at(-1)?.kind;
    const kind = KINDS.find(([, names]) => names.test(name))?.[0] ?? outer ?? "other";
    if (outer === undefined) {
      add("busy", dur);
      add("processor", tdur);
    } else add(outer, -tdur);
    add(kind, tdur);
    around.push({ kind, until: ts + dur });
  }
  return sums;
}

/// The times between neighbours.
export function intervals(times: number[]): number[] {
  return times.slice(1).map((time, before) => time - (times[before] ?? time));
}

/// Nothing where there is nothing to spread.
export function spread(of: number[]): Spread | null {
  const sorted = [...of].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return sorted.length ? { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) } : null;
}

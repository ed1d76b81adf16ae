// What bench/trace.ts makes of a trace, without a browser.
import { expect, test } from "@playwright/test";
import { BEGIN, END, type Trace, analyse } from "../bench/trace.ts";

const [PID, MAIN, COMPOSITOR] = [7, 1, 2];
const MS = 1_000;

type Event = Trace["traceEvents"][number];

const on = (tid: number, name: string, ms: number, more: Partial<Event> = {}): Event => ({ name, ph: "X", pid: PID, tid, ts: ms * MS, ...more });

/// A frame for the display's tick at `ms` that ends after `took`.
const frame = (ms: number, took: number, state: string): Event[] => {
  const id2 = { local: `0x${ms}` };
  return [
    on(COMPOSITOR, "PipelineReporter", ms, { ph: "b", id2, args: { frame_reporter: { state } } }),
    on(COMPOSITOR, "PipelineReporter", ms + took, { ph: "e", id2 }),
  ];
};

const trace = (...events: Event[]): Trace => ({
  traceEvents: [
    on(0, "TracingStartedInBrowser", 0, { pid: 1, args: { data: { frames: [{ processId: PID, isOutermostMainFrame: true }] } } }),
    on(MAIN, "thread_name", 0, { ph: "M", args: { name: "CrRendererMain" } }),
    on(MAIN, BEGIN, 1_000, { ph: "R" }),
    ...events,
    on(MAIN, END, 2_000, { ph: "R" }),
  ],
});

test("frames are those that reached the screen with what the main thread did", () => {
  const shown = "STATE_PRESENTED_ALL";
  const { seconds, frames } = analyse(
    trace(
      // Before the time that counts.
      ...frame(900, 5, shown),
      ...frame(1_100, 5, shown),
      ...frame(1_120, 9, "STATE_PRESENTED_PARTIAL"),
      ...frame(1_140, 9, "STATE_DROPPED"),
      ...frame(1_160, 20, shown),
      ...frame(1_180, 5, shown),
    ),
  );
  expect(seconds).toBe(1);
  expect(frames).toMatchObject({
    per_second: 3,
    interval_ms: { p50: 60, max: 60 },
    // The one that took long and the next one were there almost together.
    shown_interval_ms: { p50: 75, max: 75 },
    took_ms: { p50: 5, max: 20 },
    states: { STATE_PRESENTED_ALL: 3, STATE_PRESENTED_PARTIAL: 1, STATE_DROPPED: 1 },
  });
});

test("a task is long beyond 50 ms, and work counts where it is done", () => {
  const { long_tasks: tasks, main_thread: shares } = analyse(
    trace(
      on(MAIN, "RunTask", 1_000, { dur: 80 * MS, tdur: 40 * MS }),
      on(MAIN, "FunctionCall", 1_010, { dur: 60 * MS, tdur: 30 * MS }),
      on(MAIN, "Layout", 1_020, { dur: 20 * MS, tdur: 10 * MS }),
      on(MAIN, "RunTask", 1_100, { dur: 20 * MS, tdur: 20 * MS }),
      // Another thread's.
      on(COMPOSITOR, "RunTask", 1_100, { dur: 500 * MS, tdur: 500 * MS }),
    ),
  );
  expect(tasks).toEqual({ count: 1, longest_ms: 80, blocking_ms: 30 });
  const rounded = Object.fromEntries(Object.entries(shares as Record<string, number>).map(([kind, share]) => [kind, Math.round(share * 1_000)]));
  expect(rounded).toEqual({ busy: 100, processor: 60, other: 30, scripting: 20, layout: 10 });
});

test("nothing on the screen has no times, and a trace without the page's marks is none", () => {
  expect(analyse(trace()).frames).toMatchObject({ per_second: 0, interval_ms: null });
  expect(() => analyse({ traceEvents: trace().traceEvents.filter(({ name }) => name !== END) })).toThrow(/marks/);
});

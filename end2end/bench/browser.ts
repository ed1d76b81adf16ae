// A real Chromium on the feed's page, for `ottla-load browser` and `ottla-load soak`: it does what it is told and says what it
// measured. What a trace means is in trace.ts.
//
//   node browser.js URL       opens the feed of the instance at URL
//
// One line of JSON comes when the page is live, and one for each order, which is a line on standard input. The end of the input
// is the end.
//
//   view follow|scrolled|paused   how the list is looked at
//   probe                         from now on something changes in every frame: without that, a list that changes ten times a
//                                 second has ten frames a second, and nobody knows whether there could be more
//   trace SECONDS [FILE]          what the frames and the main thread did; FILE keeps the trace itself, for Chromium's tools
//   heap [collected]              what the page takes in memory, after a garbage collection where asked
import { type BrowserContextOptions, chromium } from "@playwright/test";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { launchOptions } from "../support/chromium.ts";
import { BEGIN, CATEGORIES, END, type Trace, analyse, intervals, spread } from "./trace.ts";

const SCREEN = { width: 1440, height: 900 };
const OPTIONS: BrowserContextOptions = { viewport: SCREEN, locale: "en-GB", timezoneId: "Europe/Berlin" };
/// How long the strip may take to say how many records it has, in milliseconds.
const SAID_WITHIN = 1_500;
/// How long the page may take to be live.
const LIVE_WITHIN = 30_000;

const url = process.argv[2];
if (!url) throw new Error("browser.js URL");
// A window as large as the page: what lies outside of it is never drawn.
const browser = await chromium.launch({ ...launchOptions, args: [...launchOptions.args, `--window-size=${SCREEN.width},${SCREEN.height}`] });
const context = await browser.newContext(OPTIONS);
const page = await context.newPage();
const devtools = await context.newCDPSession(page);
const machine = await browser.newBrowserCDPSession();
const errors: string[] = [];
page.on("pageerror", (error) => errors.push(String(error)));
page.on("crash", () => errors.push("the page crashed"));

await page.goto(url);
await page.locator("html[data-hydrated]").waitFor({ state: "attached", timeout: LIVE_WITHIN });
await page.locator(".conn[data-state=live]").waitFor({ timeout: LIVE_WITHIN });
const memories = await findMemories();
const { gpu } = await machine.send("SystemInfo.getInfo");
const { gpu_compositing: compositing } = gpu.featureStatus as Record<string, string>;
say({ chromium: browser.version(), gpu_compositing: compositing });

for await (const line of createInterface({ input: process.stdin })) {
  const [order, ...words] = line.split(" ");
  if (order === "view") say(await view(words[0] ?? ""));
  else if (order === "probe") say(await probe());
  else if (order === "trace") say(await trace(Number(words[0]), words[1]));
  else if (order === "heap") say(await heap(words[0] === "collected"));
  else throw new Error(`not an order: ${line}`);
}
await browser.close();

function say(answer: Record<string, unknown>): void {
  console.log(JSON.stringify(answer));
}

/// Looks at the list so, from wherever it was.
async function view(wanted: string): Promise<Record<string, unknown>> {
  const pause = page.locator("#pause");
  const isPaused = (await pause.getAttribute("aria-pressed")) === "true";
  if (isPaused !== (wanted === "paused")) await pause.click();
  const to = wanted === "scrolled" ? SCREEN.height : 0;
  await page.locator("#rows").evaluate((rows, to) => rows.scrollTo({ top: to }), to);
  // A pointer that rests on the list would hold it.
  await page.mouse.move(0, 0);
  return { view: wanted };
}

/// One square of two pixels that has another colour in each frame, and when each frame began.
async function probe(): Promise<Record<string, unknown>> {
  await page.evaluate(() => {
    const square = document.createElement("div");
    const { style } = square;
    [style.position, style.insetBlockStart, style.insetInlineStart] = ["fixed", "0", "0"];
    [style.inlineSize, style.blockSize, style.zIndex] = ["2px", "2px", "99"];
    document.body.append(square);
    const frames: number[] = [];
    Object.assign(window, { frames });
    const frame = (at: number) => {
      frames.push(at);
      style.background = frames.length % 2 ? "#000" : "#fff";
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  return { probe: true };
}

async function trace(seconds: number, file?: string): Promise<Record<string, unknown>> {
  const first = await listed();
  await browser.startTracing(page, { categories: CATEGORIES });
  const [before, began] = [await processes(), Date.now()];
  await page.evaluate((mark) => performance.mark(mark), BEGIN);
  await page.waitForTimeout(seconds * 1_000);
  await page.evaluate((mark) => performance.mark(mark), END);
  const [after, took] = [await processes(), (Date.now() - began) / 1_000];
  const traced = await browser.stopTracing();
  const last = await listed();
  if (file) await writeFile(file, traced);
  const raf = await page.evaluate(
    ([begin, end]) => {
      const at = (mark: string) => performance.getEntriesByName(mark).at(-1)?.startTime ?? 0;
      const { frames = [] } = window as unknown as { frames?: number[] };
      return frames.filter((frame) => frame >= at(begin) && frame <= at(end));
    },
    [BEGIN, END] as const,
  );
  return {
    ...analyse(JSON.parse(traced.toString()) as Trace),
    // As the page sees it itself: when its frames' callbacks ran.
    raf: { per_second: raf.length / took, interval_ms: spread(intervals(raf)) },
    // Of one core, by what kind of process it is.
    cpu: Object.fromEntries([...after].map(([kind, time]) => [kind, (time - (before.get(kind) ?? 0)) / took])),
    listed_per_second: ((last.records - first.records) * 1_000) / (last.at - first.at),
    errors,
  };
}

/// Seconds that Chromium's processes have had of a processor, by kind.
async function processes(): Promise<Map<string, number>> {
  const { processInfo } = await machine.send("SystemInfo.getProcessInfo");
  const sum = new Map<string, number>();
  for (const { type, cpuTime } of processInfo) sum.set(type, (sum.get(type) ?? 0) + cpuTime);
  return sum;
}

/// How many records have been in the list (those that it holds, and those that it let go), and when. A busy page says so once a
/// second: the moment counts.
async function listed(): Promise<{ records: number; at: number }> {
  return page.evaluate(
    (within) =>
      new Promise((resolve) => {
        const look = () => {
          const said = document.querySelector("dd:has([data-count=kept])")?.textContent?.replaceAll(",", "") ?? "";
          const records = [...said.matchAll(/\d+/g)].reduce((sum, [digits]) => sum + Number(digits), 0);
          observer.disconnect();
          resolve({ records, at: performance.now() });
        };
        const observer = new MutationObserver(look);
        observer.observe(document.querySelector("#strip") ?? document.body, { subtree: true, childList: true });
        setTimeout(look, within);
      }),
    SAID_WITHIN,
  );
}

/// In bytes: JavaScript's objects, the document's, what buffers hold, and WebAssembly's memory, which never shrinks.
async function heap(isCollected: boolean): Promise<Record<string, unknown>> {
  if (isCollected) await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = (await devtools.send("Runtime.getHeapUsage")) as Record<string, number>;
  const { result } = await devtools.send("Runtime.callFunctionOn", {
    objectId: memories,
    functionDeclaration: "function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }",
    returnByValue: true,
  });
  return { js: usedSize, document: embedderHeapUsedSize, buffers: backingStorageSize, wasm: result.value, errors };
}

/// WebAssembly's memories in the page, as a handle. Looking for them collects garbage.
async function findMemories(): Promise<string> {
  const { result } = await devtools.send("Runtime.evaluate", { expression: "WebAssembly.Memory.prototype" });
  const { objects } = await devtools.send("Runtime.queryObjects", { prototypeObjectId: result.objectId ?? "" });
  if (!objects.objectId) throw new Error("the page has no WebAssembly");
  return objects.objectId;
}

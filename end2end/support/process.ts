// Child processes: started, waited for, ended by their own id. What they print is kept for the report of a failure.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

/// Runs a program to its end and gives what it printed. `input` goes to its standard input. Brokers that start beside others take minutes.
export async function run(file: string, args: string[], options: { input?: string | Buffer; env?: NodeJS.ProcessEnv } = {}) {
  const running = promisify(execFile)(file, args, { env: { ...process.env, ...options.env }, timeout: 180_000 });
  running.child.stdin?.end(options.input ?? "");
  return (await running).stdout;
}

/// A program that runs until it is told to stop.
export class Running {
  readonly output: string[] = [];
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(file: string, args: string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.ended = once(this.child, "exit");
    // A crash leaves nothing else behind.
    this.child.once("exit", (code, signal) => this.output.push(`(ended: ${signal ?? `code ${code}`})\n`));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.output.push(text));
    }
  }

  get pid(): number {
    if (!this.child.pid) throw new Error("the program did not start");
    return this.child.pid;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /// Sends the signal and waits for the end; gives the milliseconds that it took.
  async end(signal: NodeJS.Signals): Promise<number> {
    const began = Date.now();
    if (!this.hasEnded) {
      this.child.kill(signal);
      await this.ended;
    }
    return Date.now() - began;
  }

  /// Freezes and thaws it, as a machine in trouble would.
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.child.kill(signal);
  }
}

/// Asks again until `attempt` gives something, or fails with the last reason.
export async function eventually<T>(what: string, within: number, attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + within;
  let reason: unknown;
  while (Date.now() < deadline) {
    try {
      const found = await attempt();
      if (found !== undefined) return found;
    } catch (error) {
      reason = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what}: not within ${within} ms`, { cause: reason });
}

// The feed's page as a person sees it: open it, read its rows, send from it.
import { type Locator, type Page, expect } from "@playwright/test";

/// The feed in one tab.
export class Feed {
  constructor(readonly page: Page) {}

  static async open(page: Page, url: string): Promise<Feed> {
    const feed = new Feed(page);
    await page.goto(url);
    await feed.isLive();
    return feed;
  }

  /// The page has woken up and its socket is open.
  async isLive(): Promise<void> {
    await expect(this.page.locator("html[data-hydrated]")).toBeAttached();
    await expect(this.connection).toHaveAttribute("data-state", "live", { timeout: 20_000 });
  }

  get connection(): Locator {
    return this.page.locator(".conn");
  }

  get instance(): Locator {
    return this.page.locator(".bar .inst");
  }

  get grid(): Locator {
    return this.page.getByRole("grid");
  }

  get rows(): Locator {
    return this.page.locator("[role=row][data-place]");
  }

  row(place: string): Locator {
    return this.page.locator(`[role=row][data-place="${place}"]`);
  }

  get composer(): Locator {
    return this.page.locator("section.composer");
  }

  get message(): Locator {
    return this.composer.locator("textarea");
  }

  /// The composer's receipt: it names the place of what was sent last.
  get receipt(): Locator {
    return this.composer.locator("[data-receipt]");
  }

  banner(text: string | RegExp): Locator {
    return this.page.locator(".banner").filter({ hasText: text });
  }

  /// The places of the rows that are shown, newest first.
  places(): Promise<string[]> {
    return this.rows.evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.place ?? ""));
  }

  /// Sends from the composer; gives the place that the receipt names.
  async send(value: string, key?: string): Promise<string> {
    const before = await this.sent();
    if (key !== undefined) await this.composer.getByRole("textbox", { name: "Key" }).fill(key);
    await this.message.fill(value);
    await this.composer.getByRole("button", { name: /send/i }).click();
    // There is none while it is on its way.
    await expect.poll(async () => ((await this.sent()) ?? before) !== before).toBe(true);
    return (await this.sent()) ?? "";
  }

  /// The place of what was sent last.
  async sent(): Promise<string | null> {
    const places = await this.receipt.evaluateAll((lines) => lines.map((line) => (line as HTMLElement).dataset.receipt ?? null));
    return places[0] ?? null;
  }

  /// Exactly these rows are shown, in whatever order, each once.
  async showsExactly(places: string[]): Promise<void> {
    await expect.poll(async () => (await this.places()).sort(), { timeout: 20_000 }).toEqual([...places].sort());
  }
}

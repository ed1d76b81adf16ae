// Keyboard alone, and what axe finds.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";

async function findsNothingSerious(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`);
  expect(serious, what).toEqual([]);
}

for (const scheme of ["light", "dark"] as const) {
  test(`axe finds nothing serious, ${scheme}`, async ({ start, page, topic }) => {
    const ottla = await start();
    await ottla.produceMany(topic, '{"orderId":"o-1","total":1280}', 5);
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(ottla.url);
    await expect(page.locator(".conn")).toHaveAttribute("data-state", "live");
    await expect(page.locator("[role=row][data-place]")).toHaveCount(5);
    await findsNothingSerious(page, "feed");
    await page.locator("[role=row][data-place]").first().click();
    await expect(page.locator(".drawer.open")).toBeVisible();
    await findsNothingSerious(page, "feed with the drawer");

    await page.goto(`${ottla.url}/produce`);
    await expect(page.locator("html[data-hydrated]")).toBeAttached();
    await findsNothingSerious(page, "produce");
    await page.getByRole("main").locator("form").first().getByRole("button", { name: /send/i }).click();
    await expect(page.locator("[aria-invalid=true]").first()).toBeVisible();
    await findsNothingSerious(page, "produce with errors");

    for (const path of ["/topics", `/topics/${topic}/0/0`, "/no-such-page"]) {
      await page.goto(ottla.url + path);
      await findsNothingSerious(page, path);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(ottla.url);
    await expect(page.locator(".conn")).toHaveAttribute("data-state", "live");
    await findsNothingSerious(page, "feed on a phone");
  });
}

test("keyboard alone: compose, send, walk the list, open, close, filter, pause", async ({ start, open }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  const { keyboard } = tab.page;

  // The first stop skips the navigation.
  await keyboard.press("Tab");
  await expect(tab.page.locator("a.skip")).toBeFocused();

  // `c` composes, Ctrl+Enter sends.
  await tab.page.locator("a.skip").blur();
  for (const value of ["first", "second"]) {
    await keyboard.press("c");
    await expect(tab.message).toBeFocused();
    await keyboard.type(value);
    await keyboard.press("Control+Enter");
    await expect(tab.rows.filter({ hasText: value })).toHaveCount(1);
    await tab.message.blur();
  }

  // `j` and `k` walk, Enter opens, Escape closes and gives the focus back.
  await keyboard.press("j");
  await expect(tab.rows.nth(0)).toBeFocused();
  await keyboard.press("j");
  await expect(tab.rows.nth(1)).toBeFocused();
  await keyboard.press("k");
  await expect(tab.rows.nth(0)).toBeFocused();
  await keyboard.press("Enter");
  await expect(tab.page.locator(".drawer.open")).toBeVisible();
  await keyboard.press("Escape");
  await expect(tab.page.locator(".drawer.open")).toHaveCount(0);
  await expect(tab.rows.nth(0)).toBeFocused();

  // `/` filters.
  await keyboard.press("/");
  await expect(tab.page.getByRole("searchbox")).toBeFocused();
  await keyboard.type("first");
  await expect(tab.rows).toHaveCount(1);
  await tab.page.getByRole("searchbox").fill("");
  await keyboard.press("Escape");

  // Space pauses and resumes.
  await keyboard.press("Space");
  await expect(tab.page.locator("#pause")).toHaveAttribute("aria-pressed", "true");
  await keyboard.press("Space");
  await expect(tab.page.locator("#pause")).toHaveAttribute("aria-pressed", "false");

  // `?` lists the keys.
  await keyboard.press("Shift+?");
  await expect(tab.page.getByRole("dialog")).toBeVisible();
  await keyboard.press("Escape");
  await expect(tab.page.getByRole("dialog")).toBeHidden();
});

test("the list is one tab stop", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  await tab.showsExactly(await ottla.produceMany(topic, "row", 5));
  const stops = await tab.grid.evaluate((grid) => {
    const focusable = grid.querySelectorAll<HTMLElement>("[tabindex='0'], a:not([tabindex='-1']), button:not([tabindex='-1'])");
    return focusable.length + (grid.tabIndex === 0 ? 1 : 0);
  });
  expect(stops).toBe(1);
});

// What every page is held to: what axe finds, and that nothing scrolls sideways.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./test.ts";

export async function findsNothingSerious(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`);
  expect(serious, what).toEqual([]);
}

export async function scrollsNothingSideways(page: Page, what: string) {
  const overflow = await page.locator("#main").evaluate((main) => main.scrollWidth - main.clientWidth);
  expect(overflow, what).toBeLessThanOrEqual(0);
}

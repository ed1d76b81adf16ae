// What every page is held to: what axe finds, and that nothing scrolls sideways.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./test.ts";

export async function axeFindsNothing(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(
    ({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`,
  );
  expect(found, what).toEqual([]);
}

/// What scrolls by itself, as wide tables do, is not meant.
export async function scrollsNothingSideways(page: Page, what: string) {
  const beyond = await page.evaluate(() =>
    [document.documentElement, document.querySelector("#main")].flatMap((scrolled) => {
      if (!scrolled || scrolled.scrollWidth <= scrolled.clientWidth) return [];
      // Who it is: what reaches out of it and is not inside something that scrolls by itself.
      const edge = scrolled.getBoundingClientRect().right + 1;
      const culprits = [...scrolled.querySelectorAll("*")].filter((element) => element.getBoundingClientRect().right > edge);
      return [`${scrolled.tagName} by ${scrolled.scrollWidth - scrolled.clientWidth}`, ...culprits.map((element) => element.outerHTML.slice(0, 120)).slice(0, 8)];
    }),
  );
  expect(beyond, what).toEqual([]);
}

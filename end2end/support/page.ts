// What a browser does to a page that a test can't do with the mouse or the keyboard.
import type { Page } from "@playwright/test";

/// The tab goes out of sight, or comes back: headless Chromium shows every tab, so that the page is told.
export const hide = (page: Page, isHidden: boolean): Promise<void> =>
  page.evaluate((isHidden) => {
    if (isHidden) Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
    else Reflect.deleteProperty(document, "hidden");
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, isHidden);

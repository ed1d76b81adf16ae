# shellcheck shell=bash
# Sourced by setup.sh. Playwright with axe for the end-to-end tests, and a Chromium for them to drive.

missing=()
has node || missing+=(nodejs)
has npm || missing+=(npm)
[[ ${#missing[@]} == 0 ]] || packages "Playwright" "Node.js 20 or newer, with npm" "${missing[@]}"
[[ $(node --version) =~ ^v([0-9]+) && ${BASH_REMATCH[1]} -ge 20 ]] ||
  fail "Node.js $(node --version) is too old for Playwright: install 20 or newer, see https://nodejs.org."

packages_current() { cmp -s end2end/package-lock.json end2end/node_modules/.ottla-lock; }

install_playwright() {
  npm ci --loglevel=error --no-audit --no-fund --prefix end2end
  cp end2end/package-lock.json end2end/node_modules/.ottla-lock
}

packages_current || step "Playwright and axe" install_playwright

# The one that the tests take too: $CHROMIUM, one from the system, or the one that Playwright downloads itself.
if ! scripts/chromium.sh >/dev/null; then
  if grep -qs '^ID=debian' /etc/os-release; then
    packages "a browser" "Chromium" chromium
  else
    step "Playwright's own Chromium" env -u PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD npm exec --prefix end2end -- playwright install chromium
  fi
fi

# For the screenshots alone: without a font for Chinese they show boxes, and nothing else depends on it.
[[ -n $(fc-list :lang=zh family 2>/dev/null | head -n 1) ]] ||
  (packages "Chinese text in screenshots" "a font for Chinese, such as Noto CJK" fontconfig fonts-noto-cjk) || say "  (left out)"

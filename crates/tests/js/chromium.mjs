// A real browser for tests: reads one command a line as JSON and answers one line: `{"ok": …}` or
// `{"error": "…"}`. Every command names whose browser it is for (`who`): each has a profile of its own,
// with cookies and pages of its own. It ends when stdin closes.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const patience = 20_000;
const browser = await chromium.launch({
  executablePath: process.argv[2],
  // Where the tests run as root, as in a container, the browser's own sandbox cannot.
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
const people = new Map();

async function person(who) {
  if (!people.has(who)) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1000, height: 760 } });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    const complaints = [];
    // What a page may not do is said on the console: no page of ours gives cause for it.
    context.on('console', (said) => said.type() === 'error' && complaints.push(said.text()));
    people.set(who, { context, page, complaints, tabs: [page] });
  }
  return people.get(who);
}

const told = async (page, response) => ({
  url: page.url(),
  status: response?.status() ?? 0,
  title: await page.title(),
  text: await page.innerText('body').catch(() => ''),
});

// A button or link by what a person, or a screen reader, calls it.
const named = (page, name) => page.getByRole('button', { name }).or(page.getByRole('link', { name })).first();

// What keeps people out: fields without a name, headings out of order, text too pale (WCAG 2.2: 1.3.1,
// 1.4.3, 2.4.2, 3.1.1, 4.1.2).
function barriers() {
  const found = [];
  const blame = (why, node) => found.push(`${why}: ${node.outerHTML.slice(0, 120)}`);
  if (!document.documentElement.lang) found.push('the page has no language');
  if (!document.title.trim()) found.push('the page has no title');
  if (document.querySelectorAll('main').length !== 1) found.push('the page has not one main part');
  if (document.querySelectorAll('h1').length !== 1) found.push('the page has not one first heading');
  let level = 0;
  for (const heading of document.querySelectorAll('h1,h2,h3,h4')) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) blame('a heading skips a level', heading);
    level = own;
  }
  for (const field of document.querySelectorAll('input:not([type=hidden]),textarea,select')) {
    if (!field.labels?.length && !field.getAttribute('aria-label')) blame('a field has no name', field);
  }
  for (const control of document.querySelectorAll('button,a[href]')) {
    if (!control.textContent.trim() && !control.getAttribute('aria-label')) blame('a control has no name', control);
  }
  for (const table of document.querySelectorAll('table')) {
    if (!table.querySelector('th')) blame('a table has no headings', table);
  }
  const parts = (colour) => (colour.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || ['STYLE', 'SCRIPT'].includes(node.tagName)) continue;
    const [one, two] = [light(parts(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) blame(`text at ${ratio.toFixed(2)} to 1`, node);
  }
  return found;
}

const commands = {
  async open({ page }, { url }) {
    return told(page, await page.goto(url));
  },
  // Follows a button or link, and waits until the page it leads to is there.
  async follow({ page }, { name }) {
    const answered = page.waitForNavigation();
    await named(page, name).click();
    return told(page, await answered);
  },
  async click({ page }, { name }) {
    await named(page, name).click();
  },
  // A switch, or one of several choices, with the keyboard: pages hide the field itself behind what they draw.
  async choose({ page }, { name }) {
    await page.getByRole('switch', { name }).or(page.getByRole('radio', { name, exact: true })).first().focus();
    await page.keyboard.press('Space');
  },
  async fill({ page }, { name, value }) {
    await page.getByLabel(name).fill(value);
  },
  async press({ page }, { key }) {
    await page.keyboard.press(key);
    return page.evaluate(() => document.activeElement?.innerText || document.activeElement?.name || '');
  },
  async arrive({ page }, { at }) {
    await page.waitForURL((url) => url.href.includes(at));
    return told(page);
  },
  async see({ page }, { text }) {
    await page.getByText(text).first().waitFor();
    return told(page);
  },
  async read({ page }) {
    return told(page);
  },
  async run({ page }, { script }) {
    return page.evaluate(script);
  },
  // A further tab of the same person; the one before stays as it is, and `tab` goes back to it.
  async another(person) {
    person.page = await person.context.newPage();
    person.tabs.push(person.page);
    return person.tabs.length - 1;
  },
  async tab(person, { number }) {
    person.page = person.tabs[number];
    return told(person.page);
  },
  async frames({ page }) {
    return page.frames().map((frame) => frame.url());
  },
  async cookies({ context }) {
    return context.cookies();
  },
  async barriers({ page }, { dark }) {
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    return page.evaluate(barriers);
  },
  async picture({ page }, { path, dark }) {
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    await page.screenshot({ path, fullPage: true });
  },
  // A security key that lives in the browser (WebAuthn Level 3, section 11), which says its person was there.
  async authenticator({ context, page }) {
    const session = await context.newCDPSession(page);
    await session.send('WebAuthn.enable');
    await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  },
  async complaints({ complaints }) {
    return complaints.splice(0);
  },
};

console.log(`browser ${browser.version()}`);
for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, who, ...rest } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: (await commands[name](await person(who), rest)) ?? null };
  } catch (error) {
    answer = { error: String(error?.message ?? error) };
  }
  console.log(JSON.stringify(answer));
}
await browser.close();

// Photographs of pages with a busy day on them, for eyes: `tests/web/run shots.mjs FOLDER [PATTERN OF PATHS]`, by hand.
// Each page in both languages and themes, on a desk and on a telephone. Judges nothing.
import fs from 'node:fs';
import { RECEPTION, startBox } from './box.mjs';
import { Carrier } from './carrier.mjs';
import { launch, login, visit } from './browser.mjs';
import { Phone } from './phone.mjs';
import { wav } from './tone.mjs';

const [folder, pattern = ''] = process.argv.slice(2);
const wanted = new RegExp(pattern);
fs.mkdirSync(folder, { recursive: true });

const STAFF = ['Anna Keller', 'Jonas Weiß', '李娜', 'Maria-Theresia von Hohenstaufen', 'Omar Haddad'];
const CUSTOMERS = ['Harbour Tea GmbH', 'Käthe Brandt', '王小明', 'Peter Schmidt'];
const extension = (number, name, more = '') =>
  `\n[[extension]]\nnumber = "${number}"\nname = "${name}"\npassword = "test-only-${number}-secret"\nrecord = "always"\n${more}[extension.voicemail]\n`;
const agent = (n, name) => `\n[[agent]]\nid = "${102 + n}"\nname = "${name}"\nextension = "${102 + n}"\nskill = { en = ${9 - n}, zh = ${2 * n + 1} }\n`;

const SITE = `
[system]
name = "Harbour Office"
country = "DE"
language = "en"
time_zone = "Asia/Shanghai"
contact_page = "https://crm.example.com/?phone={number}"

[[schedule]]
name = "office"
week = { mon = "08:00-18:00", tue = "08:00-18:00", wed = "08:00-18:00", thu = "08:00-18:00", fri = "08:00-16:00" }
holidays = ["2026-12-24", "2026-12-25"]

[budget]
schedule = "office"
closed_percent = 10
warn_percent = 80
[budget.extension]
national_min = 600
international_min = 60
[budget.site]
national_min = 7000
international_min = 700
premium_min = 50
${extension('101', 'Reception')}${STAFF.map((name, n) => extension(102 + n, name)).join('')}${extension('108', 'Meeting room, 2nd floor', 'hot_desk = "shared"\n')}
${CUSTOMERS.map((name, n) => extension(121 + n, name)).join('')}${STAFF.map((name, n) => agent(n, name)).join('')}

[[trunk]]
name = "carrier"
kind = "register"
host = "127.0.0.1"
port = CARRIER
username = "4930123456"
password = "test-only-trunk-secret"
[trunk.budget]
national_min = 3000

[distribution]
class = { vip = 3, regular = 1 }
[[distribution.reason]]
name = "lunch"
en = "Lunch"
zh = "午餐"
key = "2"
limit_min = 45
[[distribution.reason]]
name = "coaching"
en = "Coaching with the team lead"
zh = "与组长辅导"
key = "7"
paid = true
limit_min = 1

[[queue]]
name = "main"
number = "600"
agents = ["102", "103", "104"]
ring_timeout_s = 60
overflow = "voicemail:101"
max_wait_s = 0
script = ["Good morning, Harbour Office, what can I do for you?", "Ask for the customer number.", "Offer the autumn catalogue."]
wrap_codes = [{ code = "01", name = "Order" }, { code = "02", name = "Complaint" }, { code = "03", name = "Question about an invoice" }]
wrap_code_required = true
wrap_up_s = 120
callback = { after_s = 20 }
skill = [{ after_s = 0, need = { en = 7 } }, { after_s = 30, need = { en = 4 } }, { after_s = 60 }]
overflow_rule = ['queue("main").waiting > 25 && queue("support").ready >= 4 -> queue("support")']

[[queue]]
name = "support"
number = "601"
agents = ["105", "106"]
overflow = "queue:main"
priority = 2
announce_wait = true

[[campaign]]
name = "autumn"
queue = "support"
lists = ["customers"]
form = "preview"
profile = "us"
caller_id = "+4930123456"
outside_calls = "international"
script = "Good morning, this is Harbour Office. May I send you our autumn catalogue?"
detect_machines = true
[[campaign.disposition]]
word = "sold"
name = "Sold"
then = "done"
[[campaign.disposition]]
word = "later"
name = "Call again later"
then = "callback"

${RECEPTION}`;

/** Who looks: pages of the administrator and of two agents. */
const PAGES = {
  admin: [
    '/', '/calls', '/supervise', '/queues', '/queues/agents', '/queues/agents/104', '/queues/agents/new', '/queues/rules',
    '/queues/queue/main', '/extensions', '/extensions/108', '/extensions/105', '/settings', '/settings/budgets',
    '/campaigns', '/campaigns/lists', '/campaigns/campaign/autumn', '/campaigns/campaign/new', '/campaigns/simulate',
    '/numbers/prompts', '/numbers/menus/welcome', '/numbers/what-if', '/reports', '/reports/agents', '/wall', '/history', '/contacts', '/events',
  ],
  anna: ['/desk', '/queues', '/voicemail'],
  omar: ['/desk'],
};

/** What is done on a page before its photograph. */
const DONE_FIRST = {
  '/numbers/what-if': async (page) => {
    const form = page.locator('main form');
    const [called, caller] = [form.locator('input').nth(0), form.locator('input').nth(1)];
    await called.fill('4930123456');
    await caller.fill('+4930901234');
    await form.locator('input').nth(4).fill('1');
    await form.locator('button[type=submit]').click();
    await page.locator('section[aria-live] li').first().waitFor();
  },
  '/supervise': (page) => page.locator('main select').first().selectOption('101'),
  '/history': (page) => page.locator('tbody button[aria-expanded]').first().click(),
};

/** The carrier is known by its address; telephones of the house have another one. */
const HOUSE = '127.0.0.2';
const carrier = await new Carrier('4930123456', 'test-only-trunk-secret').open();
const browser = await launch();
const box = await startBox({ site: SITE.replace('CARRIER', carrier.port) });
const phones = {};
async function phone(number) {
  phones[number] = await new Phone(box, String(number), `test-only-${number}-secret`, { host: HOUSE }).open();
  await phones[number].register();
}
const ask = async (method, where, body) => {
  const answer = await box.ask(method, where, body);
  if (answer.status >= 300) console.error(`${method} ${where}: ${answer.status} ${answer.text}`);
  return answer.json;
};

async function day() {
  await box.admin();
  await box.admin('anna', 'agent', { agent: '102', extension: '102' });
  await box.admin('omar', 'agent', { agent: '106', extension: '106' });
  for (const number of [101, 102, 103, 104, 105, 106, 108, 121, 122, 123, 124]) await phone(number);
  const seat = await visit(browser, box);
  await login(seat);
  const send = (where, type, body, method = 'POST') =>
    seat.page.evaluate(
      async ([where, type, body, method]) => {
        const { csrf } = await (await fetch('/api/v1/session')).json();
        const bytes = Array.isArray(body) ? new Uint8Array(body) : body;
        const answer = await fetch(`/api/v1${where}`, { method, headers: { 'x-csrf': csrf, 'content-type': type }, body: bytes });
        return `${answer.status} ${await answer.text()}`;
      },
      [where, type, body, method],
    );
  const contacts = `name,company,number,class\nLi Na,Harbour Tea,121,vip\nKäthe Brandt,,122,regular\n王小明,上海茶叶有限公司,123,\n`;
  console.error(await send('/contacts/import', 'text/csv', contacts));
  // Where people may be called now: in Sydney or in Berlin.
  const hour = new Date().getUTCHours();
  const town = hour >= 21 || hour < 9 ? '+6129374' : '+493090';
  const rows = [...Array(60).keys()].map((n) => `Person ${n},${town}${4000 + n},Harbour`);
  const sheet = `Name,Phone,City\n${rows.join('\n')}\nNobody,not a number,Town\n`;
  console.error(await send('/lists/import?list=customers&file=customers%20autumn%202026.csv', 'application/octet-stream', sheet));
  const kept = await send('/prompts/night/en', 'audio/wav', [...wav(8_000, 8_000, 425)], 'PUT');
  await seat.close();
  const { config } = await ask('GET', '/config');
  const prompt = { night: { en: JSON.parse(kept.slice(4)).path } };
  await ask('PUT', '/config/audio', { ...config.audio, prompt });
  for (const [from, to] of [[121, '101'], [122, '102'], [123, '*43'], [124, '600'], [121, '106']]) {
    await phones[from].call(to);
    await phones[from].speak(2);
    await phones[from].hangUp();
  }
  for (const n of [102, 103, 104, 105, 106]) await ask('POST', `/agents/${n}/login`, {});
  await ask('POST', '/agents/103/pause', { reason: 'lunch' });
  await ask('POST', '/agents/104/pause', { reason: 'coaching' });
  await ask('PUT', '/extensions/105/desk', { phone: '108' });
  await ask('POST', '/campaigns/autumn/order', { order: 'start' });
  for (const number of [121, 122, 123, 124]) await phones[number].call('600');
}

async function photograph(who, pages) {
  for (const [lang, theme, width] of [
    ['en', 'light', 1280],
    ['zh', 'dark', 1280],
    ['en', 'dark', 390],
    ['zh', 'light', 390],
  ]) {
    const seat = await visit(browser, box, { lang, theme, width });
    const { page } = seat;
    await login(seat, who);
    for (const where of pages) {
      await page.goto(box.url + where);
      await page.locator('main:not([aria-busy="true"]) h1').waitFor();
      await DONE_FIRST[where]?.(page);
      await page.waitForTimeout(700);
      const name = `${who}${where.replaceAll('/', '_')}-${lang}-${theme}-${width}.png`;
      await page.screenshot({ path: `${folder}/${name}`, fullPage: true });
    }
    await seat.close().catch((error) => console.error(error.message));
  }
}

try {
  await day();
  for (const [who, pages] of Object.entries(PAGES)) {
    const some = pages.filter((where) => wanted.test(`${who}${where}`));
    if (some.length > 0) await photograph(who, some);
  }
} finally {
  for (const one of Object.values(phones)) one.close();
  await browser.close();
  await box.stop();
  carrier.close();
}

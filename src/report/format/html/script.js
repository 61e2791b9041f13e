'use strict';
// Everything that came from a server is put in as text, never as markup.
const make = (name, text, className) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};

// Filter the requirements.
const form = document.getElementById('filter');
const articles = [...document.querySelectorAll('.area > article')];
const words = new Map(articles.map(a => [a, a.textContent.toLowerCase()]));
let filtered = false;
const filter = () => {
  const wanted = Object.fromEntries(new FormData(form));
  const text = wanted.text.trim().toLowerCase();
  const isAny = Object.values(wanted).some(value => value.trim());
  let shown = 0;
  for (const article of articles) {
    const fits = ['verdict', 'level', 'area'].every(key => !wanted[key] || article.dataset[key] === wanted[key]);
    article.hidden = !(fits && words.get(article).includes(text));
    shown += !article.hidden;
  }
  for (const area of document.querySelectorAll('.area')) {
    area.hidden = !area.querySelector('article:not([hidden])');
    if (isAny || filtered) area.open = isAny && !area.hidden;
  }
  filtered = isAny;
  form.querySelector('output').textContent = `${shown} of ${articles.length} shown`;
};

// What is filtered is kept in the fragment, so that it can be sent to someone: `#filter?verdict=fail&text=name`.
const FILTER = '#filter?';
const keep = () => {
  const wanted = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim()));
  history.replaceState(null, '', wanted.size ? FILTER + wanted : '#filter');
};
const recall = () => {
  if (!location.hash.startsWith(FILTER)) return;
  form.reset();
  for (const [name, value] of new URLSearchParams(location.hash.slice(FILTER.length))) {
    if (form.elements[name]) form.elements[name].value = value;
  }
  filter();
  form.scrollIntoView();
};
form.hidden = false;
form.addEventListener('input', () => { filter(); keep(); });
form.addEventListener('submit', event => event.preventDefault());
filter();

// Keys for those who use no mouse, where they are not typing.
addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches('input, select, textarea')) return;
  if (event.key === '/') {
    event.preventDefault();
    form.elements.text.focus();
  }
  if (event.key !== 'n' && event.key !== 'p') return;
  const failing = [...document.querySelectorAll('.failing')];
  const at = failing.findIndex(one => one.id === decodeURIComponent(location.hash.slice(1)));
  const next = failing[at < 0 ? 0 : at + (event.key === 'n' ? 1 : -1)];
  if (next) location.hash = next.id;
});

// Exchanges are read when they are first asked for.
let known;
const exchanges = () => {
  if (!known) {
    const text = document.getElementById('lines').textContent.trim();
    const list = text ? text.split('\n').map(line => JSON.parse(line)) : [];
    known = { list, headers: JSON.parse(document.getElementById('headers').textContent) };
    known.byNumber = new Map(list.map(exchange => [exchange.n, exchange]));
  }
  return known;
};

const message = (name, part) => {
  const side = make('div');
  side.append(make('h6', `${name}: ${part.l}`));
  if (part.h || part.b) {
    const pre = make('pre');
    pre.tabIndex = 0;
    const headers = (part.h || []).map(place => exchanges().headers[place] + '\n').join('');
    pre.append(make('span', headers, 'headers'), part.b || '');
    side.append(pre);
  }
  if (part.x) side.append(make('p', part.x, 'muted'));
  return side;
};

const command = (name, text) => {
  const row = make('div', undefined, 'command');
  row.append(make('span', name), make('pre', text));
  copyable(row);
  return row;
};

// Where the page did not come over a secure connection there is no clipboard, but a selection can be copied.
const copy = async pre => {
  if (navigator.clipboard) return navigator.clipboard.writeText(pre.textContent);
  getSelection().selectAllChildren(pre);
  document.execCommand('copy');
};
const copier = (label, pre) => {
  const button = make('button', label);
  button.type = 'button';
  button.addEventListener('click', async () => {
    await copy(pre);
    button.textContent = 'Copied';
  });
  return button;
};
const copyable = row => row.append(copier('Copy', row.querySelector('pre')));
document.querySelectorAll('.command').forEach(copyable);

// The commands of a failure can be copied without being seen.
for (const commands of document.querySelectorAll('.commands')) {
  const rows = [...commands.querySelectorAll('.command')];
  const names = rows.map(row => row.querySelector('span').textContent);
  const bar = make('p', undefined, 'copy');
  rows.forEach((row, at) => {
    if (names.indexOf(names[at]) === at) bar.append(copier(`Copy ${names[at]}`, row.querySelector('pre')));
  });
  commands.before(bar);
  bar.append(commands);
}

const open = (details, exchange) => {
  if (details.childElementCount > 1) return;
  const sides = make('div', undefined, 'sides');
  sides.append(message('Request', exchange.q), message('Response', exchange.a));
  const again = exchange.r ? `, attempt ${exchange.r}` : '';
  details.append(make('p', `as ${exchange.i}, ${exchange.ms}${again}`, 'muted'), sides);
  if (exchange.c) details.append(command('curl', exchange.c));
};

const entry = (exchange, anchored) => {
  const details = make('details');
  if (anchored) details.id = `exchange-${exchange.n}`;
  details.append(make('summary', `${exchange.n} · ${exchange.t} · ${exchange.a.l} · ${exchange.ms}`));
  details.addEventListener('toggle', () => { if (details.open) open(details, exchange); });
  return details;
};

const PAGE = 100;
const list = details => {
  const { numbers } = details.dataset;
  const all = exchanges();
  if (numbers === 'all') return all.list;
  const found = [];
  for (const range of numbers.split(' ')) {
    const [from, to = from] = range.split('-').map(Number);
    for (let n = from; n <= to; n++) if (all.byNumber.has(n)) found.push(all.byNumber.get(n));
  }
  return found;
};

// Shows so many of a list, and a button for more.
const fill = (details, most) => {
  const found = list(details);
  const anchored = details.dataset.numbers === 'all';
  details.querySelector(':scope > button')?.remove();
  const there = details.querySelectorAll(':scope > details').length;
  const entries = found.slice(there, most).map(exchange => entry(exchange, anchored));
  details.append(...entries);
  if (!found.length) details.append(make('p', 'They are not on this page; see exchanges.ndjson.', 'muted'));
  if (most < found.length) {
    const button = make('button', `Show more: ${found.length - most} are left`);
    button.type = 'button';
    button.addEventListener('click', () => fill(details, most + PAGE));
    details.append(button);
  }
  return entries;
};

for (const details of document.querySelectorAll('details.exchanges')) {
  details.hidden = false;
  details.addEventListener('toggle', () => {
    if (details.open && details.childElementCount === 1) fill(details, PAGE);
  });
}

// A link to an exchange, or into what is folded or filtered away.
const follow = () => {
  const id = decodeURIComponent(location.hash.slice(1));
  const number = /^exchange-(\d+)$/.exec(id)?.[1];
  if (number) {
    const details = document.querySelector('details.exchanges[data-numbers="all"]');
    const place = exchanges().list.findIndex(exchange => exchange.n === Number(number));
    if (place >= 0) {
      const there = details.querySelectorAll(':scope > details').length;
      fill(details, Math.max(there, Math.ceil((place + 1) / PAGE) * PAGE));
      details.open = true;
    }
  }
  recall();
  const target = id && document.getElementById(id);
  if (!target) return;
  if (target.closest('article[hidden]')) {
    form.reset();
    filter();
  }
  for (let at = target; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
  target.scrollIntoView();
};
addEventListener('hashchange', follow);
follow();

// On paper nothing can be opened. What is too much for it is left out, see the style, unless it is asked for.
const everything = document.getElementById('print-all');
everything.parentElement.hidden = false;
everything.addEventListener('click', () => {
  const closed = [...document.querySelectorAll('details:not([open], .exchanges, .exchanges *)')];
  closed.forEach(details => { details.open = true; });
  document.documentElement.classList.add('appendix');
  print();
  document.documentElement.classList.remove('appendix');
  closed.forEach(details => { details.open = false; });
});

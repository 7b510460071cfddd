'use strict';
(() => {
  const cases = [...document.querySelectorAll('.case')];
  const words = document.getElementById('words');
  const kinds = [...document.querySelectorAll('.tools input[type=checkbox]')];
  const count = document.getElementById('count');
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = new Set(kinds.filter((k) => k.checked).map((k) => k.value));
    let left = 0;
    for (const c of cases) {
      const text = c.querySelector('summary').textContent.toLowerCase() + ' ' + (c.dataset.words || '');
      c.hidden = !shown.has(c.dataset.kind) || !wanted.every((w) => text.includes(w));
      if (!c.hidden) left++;
    }
    count.textContent = left + ' of ' + cases.length + ' shown';
  };
  const fold = (open) => {
    for (const c of cases) if (!c.hidden) c.querySelector('details').open = open;
  };
  const jump = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.classList.contains('case')) return;
    target.hidden = false;
    target.querySelector('details').open = true;
    target.scrollIntoView();
  };
  words.addEventListener('input', filter);
  for (const k of kinds) k.addEventListener('change', filter);
  document.getElementById('unfold').addEventListener('click', () => fold(true));
  document.getElementById('fold').addEventListener('click', () => fold(false));
  addEventListener('hashchange', jump);
  addEventListener('beforeprint', () => { for (const d of document.querySelectorAll('.case:not([hidden]) > details')) d.open = true; });
  document.querySelector('.tools').hidden = false;
  filter();
  jump();
})();

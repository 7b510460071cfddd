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
    if (!target) return;
    const home = target.closest('.case');
    if (home) home.hidden = false;
    if (target === home) target.querySelector('details').open = true;
    for (let d = target.closest('details'); d; d = d.parentElement.closest('details')) d.open = true;
    target.scrollIntoView();
  };
  const tools = document.querySelector('.tools');
  const room = () => {
    const sticks = getComputedStyle(tools).position === 'sticky';
    document.documentElement.style.setProperty('--tools', (sticks ? tools.offsetHeight : 0) + 'px');
  };
  let unfolded = [];
  words.addEventListener('input', filter);
  for (const k of kinds) k.addEventListener('change', filter);
  document.getElementById('unfold').addEventListener('click', () => fold(true));
  document.getElementById('fold').addEventListener('click', () => fold(false));
  addEventListener('hashchange', jump);
  addEventListener('resize', room);
  addEventListener('beforeprint', () => {
    unfolded = [...document.querySelectorAll('main details:not([open])')].filter((d) => !d.closest('.case[hidden]'));
    for (const d of unfolded) d.open = true;
  });
  addEventListener('afterprint', () => {
    for (const d of unfolded) d.open = false;
  });
  tools.hidden = false;
  room();
  filter();
  jump();
})();

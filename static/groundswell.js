// Small things every page of the shell needs. Forms that destroy something ask once: <form data-confirm="…">.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// The shell hides the page until Alpine has started, and a hidden field cannot take the focus it asked for.
document.addEventListener("alpine:initialized", () => {
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
  });
});

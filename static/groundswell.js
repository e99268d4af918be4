// Small things every page of the shell needs. Forms that destroy something ask once: <form data-confirm="…">.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

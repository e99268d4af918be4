// Dragging blocks between lists with mouse and finger. The page is drawn again from the tree after each drop.
import "../vendor/sortable/sortable.min.js";

// `lists` are the elements whose children are blocks; `moved(item, from list, to list, index)` is told of a drop,
// its index counted as the list stood before. `scope` is the class under which blocks have their looks, and
// `mayPut(item, list)`, where given, says whether a block may be dropped there.
export function draggable(lists, { group, handle, scope, moved, mayPut, ...more }) {
  const made = lists.map(
    (list) =>
      new window.Sortable(list, {
        group: mayPut ? { name: group, put: (to, from, item) => mayPut(item, to.el) } : group,
        handle,
        animation: window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 140,
        emptyInsertThreshold: 24,
        fallbackOnBody: true,
        forceFallback: true, // the browser's own dragging knows no touch and cannot be styled
        fallbackTolerance: 4,
        swapThreshold: 0.6,
        invertSwap: true,
        ghostClass: "blk-ghost",
        dragClass: "blk-dragged",
        onStart: ({ item }) => {
          document.body.classList.add("blk-dragging");
          dress(window.Sortable.ghost, item, scope);
        },
        onEnd: (event) => {
          document.body.classList.remove("blk-dragging");
          const isSame = event.from === event.to;
          if (isSame && event.oldIndex === event.newIndex) return;
          const index = isSame && event.newIndex > event.oldIndex ? event.newIndex + 1 : event.newIndex;
          moved(event.item, event.from, event.to, index);
        },
        ...more,
      }),
  );
  return () => made.forEach((sortable) => sortable.destroy());
}

// What hangs on the pointer is a copy outside of the editor, and a copied <select> forgets what was chosen.
function dress(ghost, item, scope) {
  if (!ghost) return;
  ghost.classList.add(...scope.split(" ").filter(Boolean));
  const chosen = [...item.querySelectorAll("select")].map((select) => select.value);
  ghost.querySelectorAll("select").forEach((select, at) => (select.value = chosen[at]));
}

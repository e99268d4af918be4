// Contrast of two colours by WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
export const isColor = (value) => /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(value ?? "");

function luminance(color) {
  const digits = color.length === 4 ? [...color.slice(1)].map((one) => one + one) : color.slice(1).match(/../g);
  const [red, green, blue] = digits.map((pair) => {
    const part = Number.parseInt(pair, 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((left, right) => right - left);
  return (light + 0.05) / (dark + 0.05);
}

// [letters, ground] of a colour that is being chosen, by what a block has, or null where no words are concerned.
const LETTERS = {
  fill: "color",
  color: "background",
  label_color: "fill",
  text_color: "surface",
  link_color: "surface",
};

export function against(node, name, settings) {
  const own = (key) => node[key] || settings[{ color: "text_color", background: "surface" }[key] ?? key];
  if (node.type === "divider" || node.type === "spacer") return null;
  if (node.type === "button") {
    return name === "fill"
      ? (value) => [own("color"), value]
      : name === "color"
        ? (value) => [value, own("fill")]
        : null;
  }
  if (name === "label_color") return (value) => [value, own("fill")];
  if (name === "fill") return (value) => [own("label_color"), value];
  if (name === "background" && "color" in node) return (value) => [own("color"), value || settings.surface];
  if (LETTERS[name]) return (value) => [value || own(name), own(LETTERS[name])];
  if (name === "surface") return (value) => [settings.text_color, value];
  return null;
}

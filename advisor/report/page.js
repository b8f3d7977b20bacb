// Shows the values under the pointer. The page is complete without it.
for (const figure of document.querySelectorAll("figure")) {
  const data = figure.querySelector("script");
  if (!data) continue;
  const readings = JSON.parse(data.textContent);
  const plot = figure.querySelector(".plot");
  const outputs = figure.querySelectorAll("output");
  const cursor = document.createElement("div");
  cursor.className = "cursor";
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    let at = 0;
    readings.Left.forEach((left, i) => {
      if (Math.abs(left / 100 - share) < Math.abs(readings.Left[at] / 100 - share)) at = i;
    });
    outputs.forEach((output, i) => {
      output.textContent = i < readings.Lines.length ? readings.Lines[i][at] : "at " + readings.At[at];
    });
    cursor.style.left = readings.Left[at] + "%";
    plot.append(cursor);
  });
  plot.addEventListener("pointerleave", () => {
    outputs.forEach((output) => { output.textContent = ""; });
    cursor.remove();
  });
}

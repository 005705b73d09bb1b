// Files dropped anywhere on the page. While some are held over it, the page says so.

export function listenForDrops(use: (files: readonly File[]) => void): void {
  let depth = 0; // dragenter and dragleave come for every element on the way
  const show = (change: number) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle('dragging', depth > 0);
  };
  document.addEventListener('dragenter', () => show(1));
  document.addEventListener('dragleave', () => show(-1));
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    show(-depth);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) use(files);
  });
}

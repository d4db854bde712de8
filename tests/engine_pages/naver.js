(() => {
const box = document.getElementById('tiles');
for (const item of NAME.content.items) {
  if (!item || !item.thumb) continue;
  const tile = document.createElement('div'), image = document.createElement('img');
  tile.className = 'TILE';
  tile.style = 'display:inline-block;width:200px;height:180px;overflow:hidden';
  image.className = '_fe_image_tab_content_thumbnail_image';
  image.alt = item.title; image.width = 190; image.height = 170; image.loading = 'lazy'; image.src = item.thumb;
  tile.append(image);
  box.append(tile);
}
})()

// Before anything is painted: this display's own scale, since no style sheet can know how large a pixel is here.
document.documentElement.style.setProperty("--mm", `${document.documentElement.dataset.mm}px`);

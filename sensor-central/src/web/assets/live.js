// Adds rows of detections as they come in, until somebody pauses it.
"use strict";

const found = document.getElementById("found");
const pause = document.getElementById("pause");
const news = document.getElementById("news");
const most = 500;
let source = null;
let last = null;
let count = 0;

function listen() {
    const address = new URL(found.dataset.live, location.href);
    if (last) address.searchParams.set("after", last);
    source = new EventSource(address);
    source.addEventListener("rows", (event) => {
        last = event.lastEventId;
        const before = found.rows.length;
        found.insertAdjacentHTML("afterbegin", event.data);
        count += found.rows.length - before;
        while (found.rows.length > most) found.deleteRow(-1);
        for (const nothing of document.querySelectorAll(".nothing")) nothing.remove();
        news.textContent = count === 1 ? "1 new detection" : count + " new detections";
    });
    source.addEventListener("end", () => {
        source.close();
        pause.hidden = true;
        news.textContent = "Live updates have ended: load the page again.";
    });
}

if (found && found.dataset.live) {
    pause.parentElement.hidden = false;
    pause.addEventListener("click", () => {
        const pausing = pause.getAttribute("aria-pressed") === "false";
        pause.setAttribute("aria-pressed", pausing);
        if (pausing) source.close(); else listen();
    });
    listen();
}

//! How many detections came in, as bars over time.

use maud::{Markup, html};

use super::layout;
use crate::{
    detections::point_in_time,
    severity::Severity,
    store::{Counted, Sought},
};

/// Bars of a plot.
pub(super) const BARS: u32 = 48;

/// In units of the drawing.
const BAR: u64 = 20;
const HEIGHT: u64 = 100;

/// The bars of a time that has a beginning and an end, the worst severity at the bottom.
pub(super) fn draw(sought: &Sought, counted: &[Counted]) -> Markup {
    let (from, to) = (sought.from.unwrap_or(0), sought.to.unwrap_or(0));
    let bars: Vec<Vec<u64>> = (0..BARS as usize)
        .map(|bar| counted.iter().map(|counted| counted.counts.get(bar).copied().flatten().unwrap_or(0)).collect())
        .collect();
    let highest = bars.iter().map(|bar| bar.iter().sum::<u64>()).max().unwrap_or(0);
    let all: u64 = bars.iter().flatten().sum();
    let is_cut = counted.iter().any(|counted| counted.counts.iter().any(Option::is_none));
    let (begin, end) = (point_in_time(from * 1_000_000), point_in_time(to * 1_000_000));
    let least = if is_cut { "at least " } else { "" };
    let text = format!("{least}{all} detections from {begin} to {end}, at most {highest} in a bar");
    let width = u64::from(BARS) * BAR;
    html! {
        figure.plot {
            svg viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(text) {
                line.base x1="0" y1=(HEIGHT) x2=(width) y2=(HEIGHT) {}
                @for (at, bar) in (0..).zip(&bars) {
                    @for (y, height, class) in boxes(bar, counted, highest) {
                        rect class=(class) x=(at * BAR + 2) y=(y) width=(BAR - 4) height=(height) {}
                    }
                }
            }
            figcaption { (layout::time(from * 1_000_000)) span.sum { (least) (all) " detections" @if highest > 0 { ", at most " (highest) " in a bar" } } (layout::time(to * 1_000_000)) }
        }
    }
}

/// Top, height and class of each part of a bar that has any, from the bottom up.
fn boxes(bar: &[u64], counted: &[Counted], highest: u64) -> Vec<(u64, u64, String)> {
    let mut top = HEIGHT;
    let mut boxes = Vec::new();
    for (&count, counted) in bar.iter().zip(counted).filter(|(count, _)| **count > 0) {
        // What is there is seen.
        let height = (count * (HEIGHT - 4)).checked_div(highest).unwrap_or(0).max(1).min(top);
        top -= height;
        let class = counted.severity.map_or("any", |number| Severity::of_number(number).priority);
        boxes.push((top, height, class.to_ascii_lowercase()));
    }
    boxes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_there_are_many() {
        let mut high = vec![Some(0); BARS as usize];
        let mut low = high.clone();
        (high[0], low[0], low[47]) = (Some(1), Some(3), Some(2));
        let sought = Sought { from: Some(0), to: Some(48_000), ..Sought::default() };
        let counted =
            [Counted { severity: Some(8), counts: high.clone() }, Counted { severity: Some(2), counts: low.clone() }];
        let drawn = draw(&sought, &counted).into_string();
        for part in [
            r#"<rect class="high" x="2" y="76" width="16" height="24">"#,
            r#"<rect class="low" x="2" y="4" width="16" height="72">"#,
            r#"<rect class="low" x="942" y="52" width="16" height="48">"#,
            "6 detections from 1970-01-01T00:00:00Z to 1970-01-01T00:00:48Z, at most 4 in a bar",
        ] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        low[0] = None;
        let drawn = draw(&sought, &[Counted { severity: None, counts: low }]).into_string();
        assert!(drawn.contains("at least 2 detections") && drawn.contains("class=\"any\""), "{drawn}");
    }

    #[test]
    fn without_any_there_is_an_empty_plot() {
        let counted = [Counted { severity: None, counts: vec![Some(0); BARS as usize] }];
        let drawn = draw(&Sought { from: Some(0), to: Some(1), ..Sought::default() }, &counted).into_string();
        assert!(drawn.contains("0 detections") && !drawn.contains("<rect"), "{drawn}");
    }
}

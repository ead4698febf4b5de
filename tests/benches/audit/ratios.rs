//! Numbers out of many noisy ones.

/// The median, and the interval that holds the true one with a probability of 95 per cent, whatever the distribution.
#[derive(Clone, Copy)]
pub(crate) struct Median {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Median {
    /// Of at least one value.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = (values.len() - 1) as f64 / 2.0;
        // How many are below the true median is binomially distributed.
        let spread = 0.98 * (values.len() as f64).sqrt();
        let at = |place: f64| values[place.clamp(0.0, (values.len() - 1) as f64).round() as usize];
        Self { value: at(middle), low: at(middle - spread), high: at(middle + spread) }
    }
}

impl std::fmt::Display for Median {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = to.precision().unwrap_or(3);
        write!(to, "{:.digits$} ({:.digits$} to {:.digits$})", self.value, self.low, self.high)
    }
}

/// The 95 % interval of a figure, from its values for resampled units.
struct ResampledInterval {
    /// The lower end; nil where the resamples say nothing of how sure the figure is.
    let low: Double?
    /// The upper end likewise.
    let high: Double?

    /// Takes quantiles, interpolated. Resamples that lack what the figure is of, or that all give the same, say nothing.
    init(_ values: [Double?]) {
        let found = values.compactMap(\.self).sorted()
        guard found.count == values.count, found.count > 1, found.first != found.last else {
            (low, high) = (nil, nil)
            return
        }
        func quantile(_ share: Double) -> Double {
            let place = share * Double(found.count - 1)
            let below = min(Int(place), found.count - 2)
            return found[below] + (place - Double(below)) * (found[below + 1] - found[below])
        }
        (low, high) = (quantile(0.025), quantile(0.975))
    }
}

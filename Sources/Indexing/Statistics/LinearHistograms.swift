import FeatureCatalog

/// Histograms of equal bins for many features in one allocation, updated as values stream by: `LinearHistogram` has the
/// rule for the bins. A feature's width starts at 2⁻²⁴ and doubles, pairs of bins becoming one, when a value lies outside.
///
/// Features may be divided among workers if each is written by one at a time; the result does not depend on the order of
/// the values.
final class LinearHistograms: @unchecked Sendable {
    private static let bins = 2 * LinearHistogram.reach
    /// The number of features.
    let features: Int
    /// `[features × 512]`; bin 0 is in the middle.
    private let counts: UnsafeMutablePointer<UInt32>
    private let exponents: UnsafeMutablePointer<Int32>

    /// Makes empty histograms.
    init(features: Int) {
        self.features = features
        counts = .allocate(capacity: max(features * Self.bins, 1))
        exponents = .allocate(capacity: max(features, 1))
        clear()
    }

    deinit {
        counts.deallocate()
        exponents.deallocate()
    }

    /// Empties all histograms.
    func clear() {
        counts.initialize(repeating: 0, count: features * Self.bins)
        exponents.initialize(repeating: Int32(LinearHistogram.exponents.lowerBound), count: features)
    }

    /// Counts some values of a feature; those that are not finite are left out.
    ///
    /// - Precondition: there is such a feature.
    func record(_ values: UnsafePointer<Float>, count: Int, feature: Int) {
        precondition(feature >= 0 && feature < features, "feature \(feature) of \(features)")
        let middle = counts + feature * Self.bins + LinearHistogram.reach
        let reach = Double(LinearHistogram.reach)
        var scale = Self.scale(exponents[feature])
        for place in 0..<count {
            // In double precision every 32-bit float in units of a power of two is exact.
            var scaled = Double(values[place]) * scale
            if !(scaled >= -reach && scaled < reach) {
                guard values[place].isFinite else { continue }
                widen(feature, for: Double(values[place]))
                scale = Self.scale(exponents[feature])
                scaled = Double(values[place]) * scale
            }
            // Rounds down; the library's function is a call where the processor's is not known.
            let whole = Int(scaled)
            let bin = middle + (scaled < Double(whole) ? whole - 1 : whole)
            if bin.pointee < .max { bin.pointee += 1 }
        }
    }

    /// Counts one value of a feature.
    func record(_ value: Float, feature: Int) {
        withUnsafePointer(to: value) { record($0, count: 1, feature: feature) }
    }

    /// A feature's histogram; nil if it has no values.
    func histogram(of feature: Int) -> LinearHistogram? {
        precondition(feature >= 0 && feature < features, "feature \(feature) of \(features)")
        let own = counts + feature * Self.bins
        guard let first = (0..<Self.bins).first(where: { own[$0] > 0 }),
            let last = (0..<Self.bins).last(where: { own[$0] > 0 })
        else { return nil }
        return LinearHistogram(
            exponent: Int(exponents[feature]), firstBin: first - LinearHistogram.reach,
            counts: (first...last).map { Int(own[$0]) })
    }

    private static func scale(_ exponent: Int32) -> Double {
        Double(sign: .plus, exponent: -Int(exponent), significand: 1)
    }

    /// Doubles a feature's width until a value has a bin.
    private func widen(_ feature: Int, for value: Double) {
        let own = counts + feature * Self.bins
        let reach = LinearHistogram.reach
        repeat {
            exponents[feature] += 1
            // Outwards from the middle, so that no bin is read after it was written.
            for pair in 0..<reach / 2 { own[reach + pair] = Self.sum(own[reach + 2 * pair], own[reach + 2 * pair + 1]) }
            for pair in 1...reach / 2 { own[reach - pair] = Self.sum(own[reach - 2 * pair], own[reach - 2 * pair + 1]) }
            (own + reach + reach / 2).update(repeating: 0, count: reach / 2)
            own.update(repeating: 0, count: reach / 2)
        } while !(abs(value * Self.scale(exponents[feature])) < Double(reach)
            || value * Self.scale(exponents[feature]) == -Double(reach))
    }

    private static func sum(_ one: UInt32, _ two: UInt32) -> UInt32 {
        let (sum, overflow) = one.addingReportingOverflow(two)
        return overflow ? .max : sum
    }
}

import FeatureCatalog
import Indexing
import RandomNumbers
import Testing

@Suite struct LinearHistogramsTests {
    /// The definition: the narrowest bins that hold all values.
    private func expected(_ values: [Float]) -> LinearHistogram? {
        let finite = values.filter(\.isFinite).map(Double.init)
        guard !finite.isEmpty else { return nil }
        for exponent in LinearHistogram.exponents {
            let bins = finite.map { ($0 / Double(sign: .plus, exponent: exponent, significand: 1)).rounded(.down) }
            guard bins.allSatisfy({ -256 <= $0 && $0 < 256 }), let first = bins.min(), let last = bins.max() else {
                continue
            }
            return LinearHistogram(
                exponent: exponent, firstBin: Int(first),
                counts: (Int(first)...Int(last)).map { bin in bins.count { $0 == Double(bin) } })
        }
        return nil
    }

    private func histogram(_ values: [Float]) -> LinearHistogram? {
        let histograms = LinearHistograms(features: 2)
        for value in values { histograms.record(value, feature: 1) }
        #expect(histograms.histogram(of: 0) == nil)
        return histograms.histogram(of: 1)
    }

    @Test(
        arguments: [
            [], [0], [-0.0], [1], [-1], [0x1p-24], [-0x1p-24], [0x1p-16], [-0x1p-16], [256], [-256], [255.99998],
            [.nan], [.infinity, -.infinity], [.nan, 3], [.greatestFiniteMagnitude], [-.greatestFiniteMagnitude],
            [.leastNonzeroMagnitude], [-.leastNonzeroMagnitude, 0x1p127], [1, -.leastNonzeroMagnitude],
            [0x1p127, 1e-30],
            [1, 2, 4, 8, 16], [-1, -2, -4, -8], [-3, 5, -7, 11], [0x1p20, -0x1p20], [-0x1p20, 0x1p20],
        ] as [[Float]])
    func valuesAreInTheNarrowestBins(values: [Float]) {
        #expect(histogram(values) == expected(values))
    }

    @Test func theOrderDoesNotCount() {
        var generator = SplitMix64(seed: 12)
        for size in [2, 5, 50, 2000] {
            for spread in [1, 30, 200] {
                let values = (0..<size).map { _ -> Float in
                    let value = Float(generator.next(below: 1 << 20)) / Float(1 << 20) - 0.25
                    return value
                        * Float(sign: .plus, exponent: generator.next(below: spread) - spread / 2, significand: 1)
                }
                let wanted = expected(values)
                #expect(wanted != nil)
                for order in [values, values.reversed(), values.sorted(), values.sorted(by: >)] {
                    #expect(histogram(order) == wanted, "\(size) values over \(spread) octaves")
                }
            }
        }
    }

    @Test func manyAtOnceAreAsOneByOne() {
        var generator = SplitMix64(seed: 13)
        let values = (0..<3000).map { _ in Float(generator.next(below: 1 << 20)) / 1000 - 400 }
        let histograms = LinearHistograms(features: 1)
        for start in stride(from: 0, to: values.count, by: 700) {
            let some = Array(values[start..<min(start + 700, values.count)])
            histograms.record(some, count: some.count, feature: 0)
        }
        #expect(histograms.histogram(of: 0) == histogram(values))
        histograms.clear()
        #expect(histograms.histogram(of: 0) == nil)
        histograms.record(0.5, feature: 0)
        #expect(histograms.histogram(of: 0) == histogram([0.5]))
    }
}

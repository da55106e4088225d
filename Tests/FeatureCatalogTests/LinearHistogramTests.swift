import FeatureCatalog
import GRDB
import TestSupport
import Testing

@Suite struct LinearHistogramTests {
    /// The definition: the narrowest bins that hold all values, by trying one width after another.
    private func expected(_ values: [Double]) -> LinearHistogram? {
        for exponent in LinearHistogram.exponents {
            let bins = values.map { ($0 / Double(sign: .plus, exponent: exponent, significand: 1)).rounded(.down) }
            guard bins.allSatisfy({ -256 <= $0 && $0 < 256 }) else { continue }
            guard let first = bins.min(), let last = bins.max() else { return nil }
            return LinearHistogram(
                exponent: exponent, firstBin: Int(first),
                counts: (Int(first)...Int(last)).map { bin in bins.count { $0 == Double(bin) } })
        }
        return nil
    }

    @Test(arguments: [
        (-25, 0, [1]), (121, 0, [1]), (0, -257, [1]), (0, 256, [1]), (0, 255, [1, 1]), (0, 0, []), (0, 0, [0, 1]),
        (0, 0, [1, 0]), (0, 0, [1, -1, 1]), (0, 0, [1 << 53, 1]), (0, 0, [.max, .max]),
    ])
    func whatBreaksARuleIsNone(exponent: Int, firstBin: Int, counts: [Int]) {
        #expect(LinearHistogram(exponent: exponent, firstBin: firstBin, counts: counts) == nil)
    }

    @Test(arguments: [0, -1, 0.3, 3, .infinity, .nan, 0x1p-25, 0x1p121, .leastNonzeroMagnitude] as [Double])
    func aWidthIsAPowerOfTwo(width: Double) {
        #expect(LinearHistogram(binWidth: width, firstBin: 0, counts: [1]) == nil)
    }

    @Test func partsAddUpToTheWhole() throws {
        var generator = SplitMix(state: 3)
        for size in [1, 2, 3, 10, 500] {
            for scale in [1e-9, 1e-3, 1, 1e3, 1e30] {
                let values = (0..<size).map { _ in Double(generator.unit() - 0.3) * scale }
                let others = (0..<size).map { _ in Double(generator.unit() * generator.unit()) }
                let (one, two) = (try #require(expected(values)), try #require(expected(others)))
                #expect(one.isNarrowest && one.total == size)
                #expect(one.merged(with: two) == expected(values + others), "\(size) values to \(scale)")
                #expect(two.merged(with: one) == one.merged(with: two))
            }
        }
        let full = try #require(LinearHistogram(exponent: 0, firstBin: 0, counts: [1 << 53]))
        #expect(full.merged(with: full) == nil)
    }

    @Test func widerBinsThanNeededAreNoticed() throws {
        for (exponent, first, counts, isNarrowest) in [
            (0, 0, [1], false), (-24, 0, [1], true), (0, 127, [1], false), (0, 128, [1], true), (0, -128, [1], false),
            (0, -129, [1], true), (0, 127, [1, 1], true),
        ] {
            let histogram = try #require(LinearHistogram(exponent: exponent, firstBin: first, counts: counts))
            #expect(histogram.isNarrowest == isNarrowest, "\(exponent) \(first)")
        }
    }

    @Test func theyAreReadAsTheyWereWritten() throws {
        let directory = try TemporaryDirectory()
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        for entry in sample.entries {
            let feature = entry.record.featureIndex
            #expect(try sample.catalog.linearHistogram(sample.key, featureIndex: feature) == entry.linearHistogram)
            #expect(try sample.catalog.logitHistogram(dictionaryID: 1, featureIndex: feature) == nil)
        }
        #expect(try !sample.catalog.hasLogitHistograms(dictionaryID: 1))
        for counts in [[3], [1, 0, 2]] {
            let histogram = try #require(LinearHistogram(exponent: 3, firstBin: -7, counts: counts))
            try sample.catalog.write(logitHistograms: [(4, histogram)], dictionaryID: 1)
            #expect(try sample.catalog.logitHistogram(dictionaryID: 1, featureIndex: 4) == histogram)
        }
        #expect(try sample.catalog.hasLogitHistograms(dictionaryID: 1))
    }

    @Test("A histogram of other firings is refused") func othersFiringsAreRefused() throws {
        let directory = try TemporaryDirectory()
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        let entry = sample.entries[3]
        expectCatalogError(.invalidValue, containing: "feature 3 has 1 firings in equal bins") {
            try sample.catalog.writeIndex(sample.indexing, replacing: true) { writer in
                try writer.write(
                    FeatureEntry(
                        record: entry.record, layers: entry.layers, tokens: entry.tokens,
                        linearHistogram: LinearHistogram(exponent: 0, firstBin: 0, counts: [1])))
            }
        }
    }

    @Test(arguments: [
        "counts = '[1,2'", "counts = '[]'", "counts = '{}'", "bin_width = 0.3", "counts = '[9223372036854775807]'",
    ])
    func aDamagedRowIsNamed(change: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.catalog")
        try TinyCatalog.make(at: path)
        let queue = try DatabaseQueue(path: path)
        for table in ["feature_linear_histogram", "feature_logit_histogram"] {
            try queue.write { try $0.execute(sql: "UPDATE \(table) SET \(change)") }
        }
        try queue.close()
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        expectCatalogError(.damaged, containing: "feature_linear_histogram") {
            _ = try catalog.linearHistogram(TinyCatalog.key, featureIndex: 0)
        }
        expectCatalogError(.damaged, containing: "feature_logit_histogram") {
            _ = try catalog.logitHistogram(dictionaryID: 1, featureIndex: 0)
        }
    }
}

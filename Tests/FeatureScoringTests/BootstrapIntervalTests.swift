import FeatureScoring
import RandomNumbers
import Testing

@Suite struct BootstrapIntervalTests {
    /// The interval of a mean of many independent values is about 1.96 standard errors to either side.
    @Test("The bootstrap interval matches the normal approximation") func coversAsTheNormalApproximationDoes() throws {
        let values = (0..<400).map { Double(SplitMix64.mixed($0) >> 11) / Double(1 << 53) }
        let interval = try #require(BootstrapInterval(of: values, seed: 3))
        let mean = values.reduce(0, +) / 400
        let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 399).squareRoot()
        let half = 1.96 * deviation / 20
        #expect(abs(interval.mean - mean) < 1e-12)
        #expect(abs(interval.low - (mean - half)) < 0.15 * half && abs(interval.high - (mean + half)) < 0.15 * half)
        #expect(interval == BootstrapInterval(of: values, seed: 3))
        #expect(interval != BootstrapInterval(of: values, seed: 4))
        let point = BootstrapInterval(meanOf: values)
        #expect(point?.mean == interval.mean && point?.low == interval.mean && point?.high == interval.mean)
    }

    @Test func edges() {
        #expect(BootstrapInterval(of: []) == nil && BootstrapInterval(meanOf: []) == nil)
        let one = BootstrapInterval(of: [2.5])
        #expect(one?.low == 2.5 && one?.mean == 2.5 && one?.high == 2.5)
    }
}

@Suite struct StratifiedSampleTests {
    @Test("Every stratum contributes its share") func everyStratumGivesItsShare() {
        let strata = [Array(0..<70), Array(70..<95), Array(95..<100)]
        let drawn = StratifiedSample.draw(from: strata, count: 20, seed: 1)
        #expect(drawn.count == 20 && Set(drawn).count == 20 && drawn == drawn.sorted())
        #expect(strata.map { Set($0).intersection(drawn).count } == [14, 5, 1])
        #expect(drawn == StratifiedSample.draw(from: strata, count: 20, seed: 1))
        #expect(drawn != StratifiedSample.draw(from: strata, count: 20, seed: 2))
        #expect(StratifiedSample.draw(from: strata, count: 100, seed: 1) == Array(0..<100))
        // One of three equal strata gets the odd one, the first.
        let thirds = [[0, 1], [2, 3], [4, 5]]
        let four = StratifiedSample.draw(from: thirds, count: 4, seed: 9)
        #expect(thirds.map { Set($0).intersection(four).count } == [2, 1, 1])
    }

    @Test func quantilesAreOfAboutEqualSize() {
        let groups = StratifiedSample.quantiles(of: (0..<10).map { ($0, Double(-$0)) }, groups: 3)
        #expect(groups == [[9, 8, 7], [6, 5, 4], [3, 2, 1, 0]])
        #expect(StratifiedSample.quantiles(of: [(4, 1), (2, 1)], groups: 5) == [[2], [4]])
    }
}

@Suite struct RaterAgreementTests {
    /// Values worked out by the definitions with NumPy.
    @Test func equalsKnownValues() throws {
        let (one, two) = ([1, 2, 3, 4, 5, 5, 2], [2, 1, 3, 5, 4, 5, 2])
        let spearman = try #require(RaterAgreement.spearman(one.map(Double.init), two.map(Double.init)))
        #expect(abs(spearman - 0.8333333333333335) < 1e-12)
        let kappa = try #require(RaterAgreement.weightedKappa(one, two))
        #expect(abs(kappa - 0.8653846153846154) < 1e-12)
    }

    @Test func edges() {
        #expect(RaterAgreement.spearman([1], [2]) == nil && RaterAgreement.spearman([1, 2], [3, 3]) == nil)
        #expect(RaterAgreement.spearman([1, 2, 9], [1, 4, 5]) == 1)
        #expect(RaterAgreement.spearman([1, 2, 9], [5, 4, 1]) == -1)
        #expect(RaterAgreement.weightedKappa([], []) == nil && RaterAgreement.weightedKappa([3, 3], [3, 3]) == nil)
        #expect(RaterAgreement.weightedKappa([1, 5], [1, 5]) == 1)
        #expect(RaterAgreement.weightedKappa([1, 5], [5, 1]) == -1)
    }

    @Test("The number of resamples follows a binomial distribution") func countsResampledWithoutEndAreBinomial() {
        // Resampling for real comes to the same.
        for (hits, units) in [(3, 40), (20, 40), (39, 40), (120, 2048)] {
            let exact = BootstrapInterval(count: hits, of: units)
            let values = (0..<units).map { $0 < hits ? 1.0 : 0.0 }
            guard let drawn = BootstrapInterval(of: values, resamples: 4000, seed: 3) else { continue }
            #expect(abs(exact.low - drawn.low * Double(units)) <= 2, "\(hits) of \(units)")
            #expect(abs(exact.high - drawn.high * Double(units)) <= 2, "\(hits) of \(units)")
            #expect(exact.low < exact.mean && exact.mean <= exact.high)
        }
        for (hits, units) in [(0, 0), (0, 9), (9, 9)] {
            let exact = BootstrapInterval(count: hits, of: units)
            #expect(exact.low == Double(hits) && exact.high == Double(hits))
        }

        let large = BootstrapInterval(count: 300_000, of: 1_000_000)
        // 1.96 standard deviations of 458.
        #expect(abs(large.low - 299_102) < 5 && abs(large.high - 300_898) < 5)
    }
}

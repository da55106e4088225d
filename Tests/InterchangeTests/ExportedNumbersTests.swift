import FeatureCatalog
import Foundation
import Interchange
import JSON
import RandomNumbers
import TestSupport
import Testing

@Suite struct ExportedNumbersTests {
    @Test(
        arguments: [
            (0, "0"), (-0.0, "0"), (.nan, "0"), (.infinity, "0"), (1, "1.0"), (-1, "-1.0"), (0.5, "0.5"),
            (1.23456789, "1.2346"), (-1.23456789, "-1.2346"), (123.456789, "123.4568"), (0.000123456, "0.0001235"),
            (1.00004, "1.0"), (0.99999, "1.0"), (1.5e-7, "1.5e-07"), (65504, "65504.0"), (1e20, "1e+20"),
            (-3e-40, "-3e-40"),
        ] as [(Double, String)])
    func numbersKeepFourDigits(value: Double, spelling: String) {
        var text: [UInt8] = []
        JSONLine.append(value, to: &text)
        #expect(String(decoding: text, as: UTF8.self) == spelling)
    }

    @Test func linesAreJSON() throws {
        var line = JSONLine()
        line.add("a", "\"\\\n é")
        line.add("b", rounded: [1, 2.5])
        line.add("c", [Int]())
        line.add("d", spelled: [Array("true".utf8)])
        line.add("e", .null)
        #expect(
            String(decoding: line.bytes, as: UTF8.self) == #"{"a":"\"\\\n é","b":[1.0,2.5],"c":[],"d":[true],"e":null}"#
        )
    }

    /// Values at whole numbers, so that bins of width 1 hold them whole and those of width 1/4 in one of four.
    @Test func equalBinsHoldTheValuesOfTheirRange() throws {
        let spread = try #require(
            BinnedValues(edges: [0, 1, 2, 4], counts: [4, 0, 8], smallest: 0, largest: 4))
        let four = spread.equalBins(4)
        #expect(four.centers == [0.5, 1.5, 2.5, 3.5] && four.counts == [4, 0, 4, 4])
        let eight = spread.equalBins(8)
        #expect(eight.counts == [2, 2, 0, 0, 2, 2, 2, 2])
        #expect(spread.count(from: 0, to: 1) == 4 && spread.count(from: 3, to: 9) == 4)
        #expect(spread.count(from: -5, to: 0.25) == 1 && spread.count(from: 4, to: 4) == 0)
        // The values of a bin lie between the smallest and the largest.
        let narrow = try #require(BinnedValues(edges: [0, 1, 2, 4], counts: [4, 0, 8], smallest: 0.5, largest: 2.5))
        #expect(narrow.equalBins(4).counts == [4, 0, 0, 8])
    }

    @Test func aSingleValueIsInTheMiddle() throws {
        let histogram = try #require(LinearHistogram(exponent: 0, firstBin: 200, counts: [7]))
        let spread = try #require(BinnedValues(histogram, smallest: 200.25, largest: 200.25))
        let bins = spread.equalBins(50)
        #expect(bins.counts.reduce(0, +) == 7 && bins.counts.filter { $0 > 0 } == [7])
        #expect(abs((bins.centers.first ?? 0) - 199.76) < 1e-9 && abs((bins.centers.last ?? 0) - 200.74) < 1e-9)
    }

    @Test func binsOfManyValuesAreNearlyThose() throws {
        var generator = SplitMix64(seed: 4)
        let values = (0..<20_000).map { _ -> Double in
            let sum = (0..<4).reduce(0) { sum, _ in sum + Double(generator.next(below: 1 << 20)) }
            return sum / Double(1 << 20)
        }
        let (smallest, largest) = (values.min() ?? 0, values.max() ?? 0)
        let first = Int(smallest * 64)
        var counts = [Int](repeating: 0, count: Int(largest * 64) - first + 1)
        for value in values { counts[Int(value * 64) - first] += 1 }
        let histogram = try #require(LinearHistogram(exponent: -6, firstBin: first, counts: counts))
        let bins = try #require(BinnedValues(histogram, smallest: smallest, largest: largest)).equalBins(50)
        var naive = [Int](repeating: 0, count: 50)
        for value in values { naive[min(Int((value - smallest) / (largest - smallest) * 50), 49)] += 1 }
        #expect(bins.counts.reduce(0, +) == values.count)
        let apart = zip(bins.counts, naive).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
        #expect(Double(apart) < 0.02 * Double(values.count))
    }

    @Test(
        arguments: [
            ([0, 1], [1, 2], 0, 1), ([1, 0], [1], 0, 1), ([0, 1], [0], 0, 1), ([0, 1], [-1], 0, 1),
            ([0, 1], [1], 2, 1),
            ([0, .infinity], [1], 0, 1), ([0, 1], [1], 0, .nan), ([0, 1, 2], [.max, .max], 0, 1),
        ] as [([Double], [Int], Double, Double)])
    func numbersThatContradictEachOtherAreNone(edges: [Double], counts: [Int], smallest: Double, largest: Double) {
        #expect(BinnedValues(edges: edges, counts: counts, smallest: smallest, largest: largest) == nil)
    }

    @Test(arguments: [0, 1, 100, 65_535, 65_536, 65_537, 700_000])
    func gzipUnpacksWhatWasPacked(count: Int) throws {
        let directory = try TemporaryDirectory()
        var generator = SplitMix64(seed: 9)
        let stream = GzipStream()
        for isRandom in [true, false] {
            let bytes = (0..<count).map { _ in isRandom ? UInt8(generator.next(below: 256)) : 0x61 }
            let packed = stream.member(bytes)
            // No time: equal bytes give equal files.
            #expect(Array(packed.prefix(8)) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0])
            let path = directory.file("\(isRandom).gz")
            try Data(packed).write(to: URL(filePath: path))
            #expect(try unpacked(path) == Data(bytes))
        }
    }
}

/// What a gzip file holds, by the program of that name.
func unpacked(_ path: String) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return data
}

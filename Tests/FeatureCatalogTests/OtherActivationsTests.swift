import FeatureCatalog
import Foundation
import Testing

@Suite struct OtherActivationsTests {
    private func roundTrip(_ window: [Float], peak: Int) throws {
        let text = OtherActivations.encode(window, peak: peak)
        let read = OtherActivations.decode(text, peak: peak, activation: window[peak], length: window.count)
        // The bits, but for zeros with a sign.
        #expect(read?.map { $0 + 0 } == window.map { $0 + 0 }, "\(text ?? "NULL")")
        guard let text else { return }
        // Any JSON reader finds the same.
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Double])
        let firing = window.indices.filter { $0 != peak && window[$0] != 0 }
        #expect(object.count == firing.count)
        for (key, value) in object {
            let place = try #require(Int(key))
            #expect(Float(value) == window[place])
        }
    }

    @Test func everySmallPatternComesBack() throws {
        for count in 1...5 {
            for pattern in 0..<1 << count {
                let window = (0..<count).map { (place: Int) -> Float in
                    (pattern >> place) & 1 == 1 ? 0.1 * Float(place + 1) : 0
                }
                for peak in 0..<count { try roundTrip(window, peak: peak) }
            }
        }
    }

    @Test func everyKindOfNumberComesBack() throws {
        let values: [Float] = [
            1, -1, 0.1, 1e-5, 1.5e10, 16_777_216, 3.4e38, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
            .leastNormalMagnitude, -.pi, 123_456.79, -0.0, 1e16,
        ]
        try roundTrip(values, peak: 0)
        var generator = SplitMix(state: 3)
        for _ in 0..<2000 {
            let window = (0..<8).map { _ -> Float in
                let value = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
                return value.isFinite ? value : 0
            }
            try roundTrip(window, peak: generator.next(below: 8))
        }
    }

    @Test func theFormIsAsDocumented() {
        #expect(OtherActivations.encode([0, 1.5, 0, -2, 0.1], peak: 1) == #"{"3":-2.0,"4":0.1}"#)
        #expect(OtherActivations.encode([0, 1.5, 0], peak: 1) == nil)
        #expect(OtherActivations.decode(nil, peak: 1, activation: 1.5, length: 3) == [0, 1.5, 0])
    }

    @Test(arguments: [
        "", "{", "}", "{}", "[]", "null", "{\"0\":1", "\"0\":1}", "{\"0\"}", "{\"0\":}", "{\"0\":1,}", "{,\"0\":1}",
        "{\"0\":1,\"0\":1}", "{\"3\":1,\"0\":1}", "{\"4\":1}", "{\"-1\":1}", "{\"00\":1}", "{\"+0\":1}", "{\"\":1}",
        "{\"99999999999999999999\":1}", "{\"0\":1e99}", "{\"0\":nan}", "{\"0\":inf}", "{\"0\":0x1p3}", "{\"0\":\"1\"}",
        "{\"0\":0}", "{\"0\":-0.0}", "{0:1}", "{ \"0\":1}", "{\"0\": 1}", "{\"2\":1}", "{\"0\":1}{", "{\"0\":[1]}",
    ])
    func otherTextsAreRefused(text: String) {
        #expect(OtherActivations.decode(text, peak: 2, activation: 1, length: 4) == nil)
    }

    @Test func impossibleWindowsAreRefused() {
        for (peak, length) in [
            (0, 0), (-1, 4), (4, 4), (0, -1), (0, OtherActivations.maximumWindowLength + 1), (.max, .max),
        ] {
            #expect(OtherActivations.decode(nil, peak: peak, activation: 1, length: length) == nil)
        }
        #expect(OtherActivations.decode(nil, peak: 0, activation: .infinity, length: 4) == nil)
    }
}

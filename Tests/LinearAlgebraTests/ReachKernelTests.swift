import CKernels
import Testing

/// `rsae_above` against a loop.
@Suite struct ReachKernelTests {
    /// Runs the kernel in buffers of exactly the documented size, with a sign behind each that it must not touch.
    private func above(_ product: [Float], _ bias: [Float], _ bound: [Float]) -> (index: [Int], value: [Float]) {
        let m = product.count
        let sign: Float = 12_345.5
        var index = Array(repeating: Int32(-77), count: m + 1)
        var value = Array(repeating: sign, count: m + 1)
        let count = Int(rsae_above(product, bias, bound, Int64(m), &index, &value))
        #expect(index[m] == -77 && value[m] == sign)
        return (index.prefix(count).map { Int($0) }, Array(value.prefix(count)))
    }

    private func compare(_ product: [Float], _ bias: [Float], _ bound: [Float], _ label: String) {
        let expected = product.indices.filter { !(product[$0] + bias[$0] <= bound[$0]) }
        let found = above(product, bias, bound)
        #expect(found.index == expected, "\(label)")
        #expect(found.value.map(\.bitPattern) == expected.map { product[$0].bitPattern }, "\(label)")
    }

    @Test func everySmallSizeAndShare() {
        var random = RandomValues(3)
        for m in 1...150 {
            let (product, bias) = (random.array(m), random.array(m))
            for level: Float in [-10, 0, 0.5, 10] {
                compare(product, bias, random.array(m).map { 0.1 * $0 + level }, "m = \(m), above \(level)")
            }
        }
    }

    @Test func equalNumbersAreNotAboveAndNaNIs() {
        let m = 100
        var product = (0..<m).map { Float($0 % 3) }
        let (bias, bound) = (Array(repeating: Float(0.5), count: m), Array(repeating: Float(1.5), count: m))
        compare(product, bias, bound, "equal numbers")
        #expect(above(product, bias, bound).index == product.indices.filter { $0 % 3 == 2 })
        for place in [0, 15, 63, 64, 99] { product[place] = .nan }
        let found = above(product, bias, bound).index
        #expect([0, 15, 63, 64, 99].allSatisfy(found.contains))
        compare(product, bias, bound, "NaN")
    }
}

import Foundation

/// All figures of one feature on one corpus, checked against each other.
struct FeatureFigures {
    struct Layer {
        let layer: Int
        let firedCount: Int
        let sum: Double
        let maximum: Double
        let routerWeight: Double?
        let meanRouterWeight: Double?
    }

    var index = 0
    var firedCount = 0
    var firingRate = 0.0
    var mean: Double?
    var deviation: Double?
    var minimum: Double?
    var maximum: Double?
    var sum = 0.0
    var sumSquare = 0.0
    var quantiles: [Double?] = []
    var decoderNorm = 0.0
    var documentCount = 0
    var isHistogramValid = true
    /// Firings per bin; nil if there is none.
    var histogram: [Int]?
    /// Of equal bins; nil where the index has none.
    var equalBins: InspectedHistogram?
    var layers: [Layer] = []
    var tokens: [FeatureTokenRecord] = []
    var stored = DerivedColumns(layers: [], tokens: [])

    /// The tolerance between two numbers that were summed in different orders.
    private static func differ(_ one: Double, _ two: Double, relative: Double = 1e-9, absolute: Double = 0) -> Bool {
        !(abs(one - two) <= max(relative * max(abs(one), abs(two)), absolute))
    }

    /// A number as people read it.
    static func shown(_ value: Double?) -> String { value.map { "\(Float($0))" } ?? "NULL" }

    /// Contradictions within the feature.
    func contradictions(in index: InspectedIndex, of dictionary: InspectedDictionary) -> [String] {
        var found: [String] = []
        if !(0..<dictionary.latentCount).contains(self.index) {
            found.append("the dictionary has \(dictionary.latentCount) latents")
        }

        let derived = DerivedColumns(layers: layers.map { ($0.layer, $0.firedCount) }, tokens: tokens)
        if !stored.agrees(with: derived) || firingRate != Double(firedCount) / Double(max(1, index.tokenCount)) {
            found.append("its rate, layers, tokens or counting do not follow from its firings")
        }
        if firedCount > index.tokenCount { found.append("n_fired is \(firedCount), of \(index.tokenCount) tokens") }
        if documentCount > min(firedCount, index.documentCount) || (firedCount > 0 && documentCount < 1) {
            found.append(
                "n_documents is \(documentCount), with \(firedCount) firings in \(index.documentCount) documents")
        }
        found += rangeContradictions + layerContradictions(dictionary)
        if tokens.reduce(0.0, { $0 + Double($1.firedCount) }) > Double(firedCount) {
            found.append("its token classes have more firings than it has")
        }
        if tokens.count > FeatureTokenRecord.keptClassCount { found.append("it has \(tokens.count) token classes") }
        if let maximum, let peak = tokens.map(\.activation1).max(), Double(peak) > maximum {
            found.append("max_activation is \(Self.shown(maximum)), and a token class has \(peak)")
        }
        found += histogramContradictions(binCount: index.binCount)
        if let reason = equalBins?.contradiction(
            totals: firedCount...firedCount, of: "n_fired", from: minimum, through: maximum)
        {
            found.append("its feature_linear_histogram \(reason)")
        }
        if dictionary.decoderNorms.indices.contains(self.index) {
            let norm = dictionary.decoderNorms[self.index]
            if norm.isFinite,
                Self.differ(
                    decoderNorm, norm, relative: dictionary.normTolerance, absolute: dictionary.normTolerance / 100)
            {
                found.append("decoder_norm is \(Self.shown(decoderNorm)), and that of the weights \(Self.shown(norm))")
            }
        }
        return found
    }

    /// Contradictions in the activation statistics.
    private var rangeContradictions: [String] {
        guard firedCount > 0 else {
            let isSilent = ([mean, deviation, minimum, maximum] + quantiles).allSatisfy { $0 == nil }
            return isSilent && sum == 0 && sumSquare == 0 ? [] : ["it never fired, and yet has activations"]
        }
        guard let maximum, let mean, let deviation else { return ["it fired, and yet has no activations"] }
        var found: [String] = []
        let count = Double(firedCount)
        let scale = max(abs(minimum ?? maximum), abs(maximum))
        // Sums are of multiples of 2⁻²⁴.
        let tolerance = 1e-6 * scale + 0x1p-20
        if let minimum, !(minimum <= maximum) {
            found.append("min_activation is \(Self.shown(minimum)), above max_activation \(Self.shown(maximum))")
        }

        let given = quantiles.compactMap { $0 }
        let range = [minimum].compactMap { $0 } + given + [maximum]
        if zip(range, range.dropFirst()).contains(where: { !($0 <= $1) }) {
            found.append(
                "min_activation, p10, p50, p90, p99, max_activation do not ascend: "
                    + ([minimum] + quantiles + [maximum]).map(Self.shown).joined(separator: ", "))
        }
        if !(mean <= maximum + tolerance) || !(mean >= (minimum ?? -.infinity) - tolerance) {
            found.append(
                "mean_activation is \(Self.shown(mean)), outside \(Self.shown(minimum)) … \(Self.shown(maximum))")
        }
        if Self.differ(mean, sum / count) { found.append("mean_activation is not sum_activation / n_fired") }
        let variance = max(0, sumSquare / count - mean * mean)
        if Self.differ(deviation * deviation, variance, absolute: 1e-9 * (sumSquare / count)) {
            found.append("std_activation does not follow from sum_square and sum_activation")
        }
        return found
    }

    private func layerContradictions(_ dictionary: InspectedDictionary) -> [String] {
        var found: [String] = []
        if let other = layers.first(where: { !dictionary.layers.contains($0.layer) }) {
            found.append("it fires at layer \(other.layer), which the dictionary does not read")
        }
        if layers.reduce(0.0, { $0 + Double($1.firedCount) }) != Double(firedCount) {
            found.append("the firings of its layers do not add up to n_fired \(firedCount)")
        }
        guard let maximum, firedCount > 0 else { return found }
        let scale = max(abs(minimum ?? maximum), abs(maximum))
        let tolerance = Double(firedCount) * (1e-6 * scale + 0x1p-20)
        if Self.differ(layers.reduce(0) { $0 + $1.sum }, sum, absolute: 1e-6 * tolerance + 1e-9) {
            found.append("sum_activation of its layers does not add up to \(Self.shown(sum))")
        }
        if let largest = layers.map(\.maximum).max(), largest != maximum {
            found.append("max_activation is \(Self.shown(maximum)), and that of its layers \(Self.shown(largest))")
        }
        for layer in layers {
            let count = Double(layer.firedCount)
            if layer.sum > count * layer.maximum + tolerance
                || layer.sum < count * (minimum ?? -.infinity) - tolerance
            {
                found.append("sum_activation of layer \(layer.layer) is not that of \(layer.firedCount) firings")
            }
            if layer.meanRouterWeight != layer.routerWeight.map({ $0 / count }) {
                found.append("mean_router_weight of layer \(layer.layer) is not sum_router_weight / n_fired")
            }
            if let weight = layer.routerWeight, !(weight >= 0 && weight <= count * (1 + 1e-6)) {
                found.append("sum_router_weight of layer \(layer.layer) is not that of \(layer.firedCount) firings")
            }
        }
        return found
    }

    private func histogramContradictions(binCount: Int) -> [String] {
        guard isHistogramValid else { return ["its histogram is not a JSON array of counts"] }
        guard let histogram, !histogram.isEmpty else { return [] }
        if histogram.count != binCount { return ["its histogram has \(histogram.count) bins, the edges \(binCount)"] }
        if histogram.contains(where: { $0 < 0 }) || histogram.reduce(0.0, { $0 + Double($1) }) != Double(firedCount) {
            return ["its histogram does not add up to n_fired \(firedCount)"]
        }
        return []
    }

    /// Reads a JSON array of integers as the catalog writes it; nil for anything else.
    static func counts(json: UnsafeRawBufferPointer) -> [Int]? {
        guard json.count >= 2, json.first == UInt8(ascii: "["), json.last == UInt8(ascii: "]") else { return nil }
        var counts: [Int] = []
        counts.reserveCapacity(96)
        var (number, digits, sign) = (0, 0, 1)
        for byte in json.dropFirst() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard digits < 18 else { return nil }
                number = 10 * number + Int(byte - UInt8(ascii: "0"))
                digits += 1
            case UInt8(ascii: "-") where digits == 0 && sign == 1: sign = -1
            case UInt8(ascii: ","), UInt8(ascii: "]"):
                guard digits > 0 else { return byte == UInt8(ascii: "]") && json.count == 2 ? [] : nil }
                counts.append(sign * number)
                (number, digits, sign) = (0, 0, 1)
            case UInt8(ascii: " "): continue
            default: return nil
            }
        }
        return counts
    }
}

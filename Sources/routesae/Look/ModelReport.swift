import ActivationPipeline
import Foundation
import JSON
import LanguageModel
import LinearAlgebra
import SparseCoding
import TerminalOutput
import Tokenization

/// What is printed of a model's folder.
struct ModelReport {
    /// What a model read, and what it added.
    struct Continuation {
        let read: [TokenID]
        let added: [TokenID]
        /// The added tokens as text; nil without a tokenizer.
        let text: String?
    }

    /// A text as tokens, and those as text again.
    struct Encoding {
        let ids: [TokenID]
        let decoded: String
    }

    var continuation: Continuation?
    var encodings: [Encoding]?

    /// The properties, each as JSON has it, and as people read it where that differs.
    private var properties: [(name: String, value: JSONValue, text: String?)] = []

    init(_ inspection: ModelInspection, workers: Workers) {
        add("path", JSONValue(inspection.path))
        add("name", JSONValue(inspection.name))
        add("runs", .boolean(inspection.problems.isEmpty), inspection.problems.isEmpty ? "yes" : "no")
        add("problems", .array(inspection.problems.map { JSONValue(OptionNames.spelled($0)) }))
        if let configuration = inspection.configuration { addDecoder(configuration, inspection, workers) }
        if let tokenizer = inspection.tokenizer { addTokenizer(tokenizer) }
    }

    private mutating func add(_ name: String, _ value: JSONValue, _ text: String? = nil) {
        properties.append((name, value, text))
    }

    private mutating func addDecoder(
        _ model: LanguageModelConfiguration, _ inspection: ModelInspection, _ workers: Workers
    ) {
        add("family", JSONValue(model.family.rawValue))
        if let wrapper = model.wrapper { add("part_of", JSONValue(wrapper)) }
        add("parameters", JSONValue(model.parameterCount), Quantities.count(model.parameterCount))
        add("dtype", JSONValue(model.storedType))
        if let bytes = inspection.weightBytes { add("weight_bytes", JSONValue(bytes), Quantities.bytes(bytes)) }
        add("n_layers", JSONValue(model.layerCount))
        let routed = DictionaryConfiguration.routedLayers(ofModelWith: model.layerCount)
        add(
            "routed_layers", .array(routed.map { JSONValue($0) }),
            routed.count == 1 ? "\(routed[0])" : "\(routed[0])-\(routed[routed.count - 1])")
        add("d_model", JSONValue(model.dModel))
        add("d_feed_forward", JSONValue(model.dFeedForward))
        add("n_heads", JSONValue(model.queryHeads))
        add("n_key_value_heads", JSONValue(model.keyValueHeads))
        add("head_dimension", JSONValue(model.headDimension))
        add("vocabulary", JSONValue(model.vocabularySize))
        add("n_positions", JSONValue(model.maximumPositions))
        add("positions", JSONValue(model.positionsText))
        let windows = model.layers.map(\.window)
        if windows.contains(where: { $0 != nil }) {
            let widths = Set(windows.compactMap(\.self)).sorted().map(String.init).joined(separator: ", ")
            let count = windows.count { $0 != nil }
            add(
                "windows", .array(windows.map { JSONValue($0) }),
                "\(widths) in \(count) of \(windows.count) layers")
        }
        add("has_logits", .boolean(inspection.hasUnembedding), inspection.hasUnembedding ? "yes" : "no")
        if let bytes = inspection.memoryBytes {
            add("memory_bytes", JSONValue(bytes), Quantities.bytes(bytes))
            add("weights_in_memory", .boolean(inspection.isResident), inspection.isResident ? "yes" : "layer by layer")
        }
        if inspection.weightBytes != nil, inspection.fitsMemory {
            let rate = ExpectedRate(model, workers: workers)
            add(
                "tokens_per_second_reading", JSONValue(rate.reading),
                "about " + Quantities.significant(rounded(rate.reading)))
            add(
                "tokens_per_second_generating", JSONValue(rate.generating),
                "about " + Quantities.significant(rounded(rate.generating)))
        }
    }

    /// Two digits: the rate is an estimate.
    private func rounded(_ rate: Double) -> Double {
        var unit = 1.0
        while rate / unit >= 100 { unit *= 10 }
        return (rate / unit).rounded() * unit
    }

    private mutating func addTokenizer(_ tokenizer: Tokenizer) {
        add("tokenizer", JSONValue(tokenizer.kind))
        add("n_tokens", JSONValue(tokenizer.vocabularySize))
        add(
            "begins_texts_with", tokenizer.prefix.first.map { JSONValue(Int($0)) } ?? .null,
            tokenizer.prefix.first.map { "\($0) \(tokenizer.text(of: $0))" } ?? "nothing")
        let hasTemplate = tokenizer.chatTemplate != nil
        add("chat_template", .boolean(hasTemplate), hasTemplate ? "yes" : "no")
    }

    /// Prints the report: in JSON one object, otherwise a row for each property.
    func print(_ output: OutputOptions) {
        if output.format == .json || output.format == .jsonl {
            return StandardStreams.write(json.document(onOneLine: output.format == .jsonl))
        }
        var rows: [[Cell]] = []
        for property in properties {
            if property.name == "problems", case .array(let problems) = property.value {
                rows += problems.map { ["problem", Cell($0.plainText)] }
            } else {
                rows.append([Cell(property.name), Cell(property.text ?? property.value.plainText)])
            }
        }
        if let continuation {
            rows.append([
                "continuation", Cell(continuation.text ?? continuation.added.map { "\($0)" }.joined(separator: ",")),
            ])
        }
        for encoding in encodings ?? [] {
            rows.append(["encoding", Cell(encoding.ids.map { "\($0)" }.joined(separator: ","))])
        }
        output.print(columns: ["property", "value"], rows: rows)
    }

    private var json: JSONValue {
        var members = properties.map { JSONObject.Member(name: $0.name, value: $0.value) }
        if let continuation {
            members.append(
                JSONObject.Member(
                    name: "continuation",
                    value: .object([
                        "prompt_ids": .array(continuation.read.map { JSONValue(Int($0)) }),
                        "ids": .array(continuation.added.map { JSONValue(Int($0)) }),
                        "text": JSONValue(continuation.text),
                    ])))
        }
        if let encodings {
            let values = encodings.map { encoding in
                JSONValue.object([
                    "ids": .array(encoding.ids.map { JSONValue(Int($0)) }), "decoded": .string(encoding.decoded),
                ])
            }
            members.append(JSONObject.Member(name: "encodings", value: .array(values)))
        }
        return .object(JSONObject(members))
    }
}

extension JSONValue {
    /// The value as text without quotation marks.
    fileprivate var plainText: String? {
        switch self {
        case .null: nil
        case .string(let text): text
        case .boolean, .integer, .unsigned, .number, .array, .object:
            document(onOneLine: true).trimmingCharacters(in: .newlines)
        }
    }
}

extension LanguageModelConfiguration {
    /// How a token's position comes in, in words.
    fileprivate var positionsText: String {
        var parts: [String] = []
        if learnedPositions != nil { parts.append("learned") }
        for rotary in rotaries {
            let share = rotary.dimension == headDimension ? "" : " of \(rotary.dimension) of \(headDimension)"
            parts.append("rotary\(share), base \(Quantities.significant(rotary.theta)), scaling \(rotary.scaling.name)")
        }
        let without = layers.count { $0.rotary == nil }
        if !rotaries.isEmpty, without > 0 { parts.append("none in \(without) of \(layers.count) layers") }
        return parts.joined(separator: "; ")
    }
}

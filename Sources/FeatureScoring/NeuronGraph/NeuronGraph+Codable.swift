import Foundation
import JSON

extension NeuronGraph: Codable {
    /// The version of the JSON form that this code writes.
    package static let formatVersion = 1

    private enum Key: String, CodingKey {
        case format, version, patterns, unreduced
    }

    private static let formatName = "n2g"

    /// Reads the JSON form.
    ///
    /// - Throws: `DecodingError` for anything that is not such a graph.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let format = try container.decode(String.self, forKey: .format)
        let version = try container.decode(Int.self, forKey: .version)
        guard format == Self.formatName, version == Self.formatVersion else {
            throw DecodingError.dataCorruptedError(
                forKey: .version,
                in: container,
                debugDescription: "explanation has form \(format) \(version), expected n2g \(Self.formatVersion)"
            )
        }

        let unreduced = try container.decodeIfPresent(Int.self, forKey: .unreduced) ?? 0
        guard unreduced >= 0 else {
            throw DecodingError.dataCorruptedError(
                forKey: .unreduced, in: container, debugDescription: "a count of contexts is negative")
        }
        self.init(
            patterns: try container.decode([NeuronPattern].self, forKey: .patterns), unreducedContexts: unreduced)
    }

    /// Writes the JSON form: `{"format":"n2g","version":1,"patterns":[…]}`, and `unreduced` where it is not 0.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(Self.formatName, forKey: .format)
        try container.encode(Self.formatVersion, forKey: .version)
        try container.encode(patterns, forKey: .patterns)
        if unreducedContexts > 0 { try container.encode(unreducedContexts, forKey: .unreduced) }
    }

    /// The graph as one line of JSON, the same for equal graphs: the structured explanation that a catalog stores.
    package func json() throws -> String { try canonicalJSON(self) }

    /// Reads what `json()` wrote.
    ///
    /// - Throws: `DecodingError` for anything else.
    package init(json: String) throws {
        self = try JSONDecoder().decode(NeuronGraph.self, from: Data(json.utf8))
    }
}

extension NeuronPattern: Codable {
    private enum Key: String, CodingKey {
        case tokens, activation, contexts, start
    }

    /// More tokens than any context has; a longer pattern comes from a damaged or hostile file.
    private static let longest = 4096

    /// Reads the JSON form.
    ///
    /// - Throws: `DecodingError` for anything that is not such a pattern.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let tokens = try container.decode([Int32?].self, forKey: .tokens)
        let activation = try container.decode(Float.self, forKey: .activation)
        let contexts = try container.decodeIfPresent(Int.self, forKey: .contexts) ?? 1
        guard (1...Self.longest).contains(tokens.count), activation.isFinite, contexts >= 1 else {
            throw DecodingError.dataCorruptedError(
                forKey: .tokens,
                in: container,
                debugDescription: "a pattern has \(tokens.count) tokens, activation \(activation), contexts \(contexts)"
            )
        }
        self.init(
            tokens: tokens,
            startsSequence: try container.decodeIfPresent(Bool.self, forKey: .start) ?? false,
            activation: activation,
            contexts: contexts
        )
    }

    /// Writes the JSON form: `{"tokens":[3,null,7],"activation":1.5,"contexts":4}` with `null` for any token, and
    /// `"start":true` where the pattern is bound to the start of the sequence.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(tokens, forKey: .tokens)
        try container.encode(activation, forKey: .activation)
        try container.encode(contexts, forKey: .contexts)
        if startsSequence { try container.encode(true, forKey: .start) }
    }
}

import FeatureCatalog
import Foundation
import GRDB
import JSON
import TestSupport
import Vocabulary
import WorkflowWorlds

/// A small indexed catalog whose first feature has two explanations, one of them scored.
struct ExplainedCatalog {
    let tiny: TinyModel
    let path: String

    init() throws {
        tiny = try TinyModel()
        path = try tiny.catalog("c.sqlite")
        try tiny.open(path) { catalog in
            let run = try catalog.beginRun(kind: .score, config: "{}", seed: nil)
            let keys = try catalog.write(
                explanations: ["first", "second"].map { text in
                    ExplanationRecord(
                        runID: run, dictionaryID: 1, featureIndex: 0, corpusID: 1, method: text, text: "\(text) \"x\"")
                })
            try catalog.write(scores: [
                ScoreRecord(
                    runID: run, dictionaryID: 1, featureIndex: 0, corpusID: 1, explanationID: keys[1],
                    method: .simulation, status: .ok, value: 0.25, contextCount: 1, tokenCount: 4)
            ])
            try catalog.finishRun(run, status: .complete)
        }
    }

    func file(_ name: String) -> String { tiny.directory.file(name) }

    func rows(_ sql: String) throws -> [Row] {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read { try Row.fetchAll($0, sql: sql) }
    }

    func execute(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }
}

/// The objects of a file of lines, packed or not.
func lines(_ path: String) throws -> [JSONObject] {
    let data = path.hasSuffix(".gz") ? try unpacked(path) : try Data(contentsOf: URL(filePath: path))
    return try data.split(separator: 0x0A).map { line in
        guard case .object(let object) = try JSONParser.parse(Data(line)) else {
            throw CocoaError(.featureUnsupported)
        }
        return object
    }
}

/// An array of texts.
func strings(_ value: JSONValue?) -> [String] {
    guard case .array(let elements)? = value else { return [] }
    return elements.map { if case .string(let text) = $0 { text } else { "?" } }
}

/// An array of numbers.
func numbers(_ value: JSONValue?) -> [Double] {
    guard case .array(let elements)? = value else { return [] }
    return elements.map { $0.double ?? .nan }
}

/// A text.
func text(_ value: JSONValue?) -> String { if case .string(let text)? = value { text } else { "" } }

import Foundation
import GRDB
import Vocabulary

extension CatalogInspection {
    /// Checks models and their vocabularies.
    mutating func checkModels() throws {
        for model in try catalog.languageModels() {
            let place = "language_model \(model.name)"
            let config = try? JSONSerialization.jsonObject(with: Data(model.configJSON.utf8)) as? [String: Any]
            let figures = [
                ("n_layers", "num_hidden_layers", model.layerCount), ("d_model", "hidden_size", model.dModel),
                ("vocab_size", "vocab_size", model.vocabularySize),
            ]
            for (column, name, value) in figures {
                guard let stated = (config?[name] as? NSNumber)?.intValue, stated != value else { continue }
                add(place, "\(column) is \(value), and its config says \(name) \(stated)")
            }
            vocabularySizes[model.languageModelID] = model.vocabularySize
        }
        try checkTokens()
    }

    /// Checks the texts of tokens against their bytes.
    private mutating func checkTokens() throws {
        let rows = try read("SELECT language_model_id, token_id, text, bytes FROM token WHERE bytes IS NOT NULL")
        while try rows.next() {
            let bytes = rows.withBytes(3) { Array($0) }
            let (text, expected) = (try rows.text(2), PassageText(tokenBytes: [bytes]).text)
            guard !text.utf8.elementsEqual(expected.utf8) else { continue }
            add("token \(try rows.integer(1)) of model \(try rows.integer(0))", "its text is not that of its bytes")
        }
    }

    /// Checks dictionaries against themselves, their models and their tensors.
    mutating func checkDictionaries() throws {
        let models = try Dictionary(
            catalog.languageModels().map { ($0.languageModelID, $0) }, uniquingKeysWith: { first, _ in first })
        for record in try catalog.dictionaries() {
            let place = "dictionary \(record.name)"
            let known = InspectedDictionary(
                id: record.dictionaryID, languageModelID: record.languageModelID,
                architecture: record.architecture.rawValue, dModel: record.dModel,
                latentCount: record.latentCount,
                k: record.k, layers: record.layers, isCorrected: record.fidelity == .corrected,
                isRoutedHard: record.routing == .hard, rules: record.rules)
            dictionaries[record.dictionaryID] = known
            for reason in known.contradictions { add(place, reason) }
            if let model = record.languageModelID.flatMap({ models[$0] }) {
                if model.dModel != record.dModel {
                    add(place, "d_model is \(record.dModel), and that of its model \(model.name) is \(model.dModel)")
                }
                if let last = record.layers.max(), last >= model.layerCount {
                    add(place, "it reads layer \(last), and its model \(model.name) has \(model.layerCount) layers")
                }
            }

            let tensors = try catalog.tensors(dictionaryID: record.dictionaryID)
            let shapes = Dictionary(tensors.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
            for reason in known.contradictions(of: shapes) { add(place, reason) }
            for tensor in tensors { try checkTensor(tensor.name, of: record.dictionaryID) }
        }
    }

    private mutating func checkTensor(_ name: String, of dictionaryID: Int64) throws {
        let place = "tensor \(name) of dictionary \(dictionaryID)"
        do {
            let tensor = try catalog.storedTensor(dictionaryID: dictionaryID, name: name, database)
            let width = tensor.shape.rowLength
            var norms: [Double] = []
            var digest = SHA256Digest()
            try catalog.forEachChunk(of: tensor, rows: 0..<tensor.shape.rowCount, database) { _, bytes in
                digest.update(bytes)
                guard name == "decoder", width > 0 else { return }
                let values = TensorValues.decode(bytes[...], as: tensor.dataType)
                for first in stride(from: 0, to: values.count, by: width) {
                    let square = values[first..<first + width].reduce(0) { $0 + Double($1) * Double($1) }
                    norms.append(square.squareRoot())
                }
            }
            if digest.hexadecimal() != tensor.sha256 { add(place, "the values do not match their SHA-256") }
            guard name == "decoder" else { return }
            dictionaries[dictionaryID]?.decoderNorms = norms
            // Norms were computed in f32 from f32; the catalog may since have been packed to a type with fewer bits.
            dictionaries[dictionaryID]?.normTolerance =
                switch tensor.dataType {
                case .f32: 1e-4
                case .f16: 1e-3
                case .bf16: 4e-3
                }
        } catch let error as CatalogError {
            add(place, error.message)
        } catch let error as DamagedColumn {
            add(place, error.description)
        }
    }
}

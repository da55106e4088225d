import ActivationPipeline
import FeatureCatalog
import Foundation
import JSON
import LinearAlgebra

/// Answers requests from one catalog. Each is answered from one state of the file, which is open no longer than that.
struct Site: Sendable {
    /// The catalog.
    let path: String
    /// Reads prompts; nil without a model.
    let prompts: PromptService?
    /// For what has to be computed.
    let workers: Workers
    /// Turns the name of a setting in backticks into what a person types.
    let spelling: @Sendable (String) -> String
    /// Keeps what takes long.
    let cache = FigureCache()
    /// What a form has to send back.
    let formToken: String
    /// Seconds that the statements of one request may take.
    var seconds = 5.0
    /// Seconds in which a prompt's statements have to end, the model's work among them.
    var promptSeconds = 60.0

    /// The catalog's file name.
    var name: String { URL(filePath: path).lastPathComponent }

    /// The answer to a request.
    func answer(_ request: ViewerRequest) -> ViewerResponse {
        if request.path.count == 1, let asset = Assets.response(request.path[0]) { return asset }
        do {
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            let visit = Visit(site: self, catalog: catalog, request: request)
            // A model takes its time; no writer should wait for it.
            let response =
                request.method == .post
                ? try catalog.bounded(seconds: promptSeconds) { try answer(visit) }
                : try catalog.bounded(seconds: seconds) { try catalog.snapshot { try answer(visit) } }
            try catalog.checkUnchanged()
            return response
        } catch {
            return problem(ViewerProblem(error), request)
        }
    }

    private func answer(_ visit: Visit) throws -> ViewerResponse {
        let request = visit.request
        if request.method == .post, request.path != ["prompt"] {
            throw ViewerProblem(405, "only a prompt is posted")
        }
        switch request.path.count {
        case 0: return try visit.show(CatalogPage(visit))
        case 1:
            switch request.path[0] {
            case "search": return try visit.show(SearchPage(visit))
            case "compare": return try visit.show(ComparePage(visit))
            case "prompt": return try visit.show(PromptPage(visit))
            default: break
            }
        case 2 where request.path[0] == "dictionaries": return try visit.show(DictionaryPage(visit))
        case 2 where request.path[0] == "runs": return try visit.show(RunPage(visit))
        case 3 where request.path[0] == "dictionaries" && request.path[2] == "features":
            return try visit.show(FeatureListPage(visit))
        case 4 where request.path[0] == "dictionaries" && request.path[2] == "features":
            return try visit.show(FeaturePage(visit))
        case 7
        where request.path[0] == "dictionaries" && request.path[2] == "features"
            && request.path[4] == "contexts":
            return try visit.show(PassagePage(visit))
        default: break
        }
        throw ViewerProblem(404, "there is no page of this name")
    }

    /// A problem as a page or as data.
    func problem(_ problem: ViewerProblem, _ request: ViewerRequest) -> ViewerResponse {
        if request.wantsJSON { return .json(.object(["error": .string(problem.message)]), status: problem.status) }
        let title =
            switch problem.status {
            case 404: "Not found"
            case 400: "Not understood"
            case 500: "Something is damaged"
            default: "Not possible"
            }
        return .page(
            Shell(name: name, dictionaryID: nil).document(
                title: title, section: .none,
                """
                <h1>\(title)</h1><p class="damaged" role="alert">\(problem.message)</p>\
                <p><a href="/">Back to the catalog</a></p>
                """), status: problem.status)
    }
}

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
    /// Takes verdicts; nil where nothing is written.
    let reviews: ReviewDesk?
    /// For what has to be computed.
    let workers: Workers
    /// Turns the name of a setting in backticks, in commands, into what a person types.
    let spelling: @Sendable (String) -> String
    /// Keeps what takes long.
    let cache = FigureCache()
    /// What a form has to send back.
    let formToken: String
    /// Seconds that the statements of one request may take.
    var seconds = 5.0
    /// Seconds in which a prompt's statements have to end, the model's work among them.
    var promptSeconds = 60.0
    /// Seconds in which the texts of steering have to be generated; fewer, so that they can be shown.
    var steeringSeconds = 45.0

    /// The catalog's file name.
    var name: String { URL(filePath: path).lastPathComponent }

    /// The methods that an address takes.
    func methods(of request: ViewerRequest) -> [ViewerRequest.Method] {
        switch request.path {
        // What is read is in the form, so there are no data of the address by itself.
        case ["prompt"] where request.wantsJSON, ["steer"] where request.wantsJSON: [.post]
        case ["prompt"], ["steer"]: [.get, .head, .post]
        case ["review"] where !request.wantsJSON: [.get, .head, .post]
        default: [.get, .head]
        }
    }

    /// Whether a request writes, so that nothing else should be worked on.
    func writes(_ request: ViewerRequest) -> Bool { request.method == .post && request.path == ["review"] }

    /// The answer to a request whose method its address takes.
    func answer(_ request: ViewerRequest) -> ViewerResponse {
        if request.path.count == 1,
            let asset = Assets.response(request.path[0], digest: request.query["v"])
        {
            return asset
        }
        do {
            if writes(request), let reviews { return .go(to: try reviews.take(request.form, path: path)) }
            let stamp = FileStamp(path)
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            let visit = try catalog.bounded(seconds: seconds) {
                try Visit(site: self, catalog: catalog, stamp: stamp, request: request)
            }
            // A model takes its time, and so does a map; no writer should wait for it.
            let response =
                request.method == .post || request.isMap
                ? try catalog.bounded(seconds: promptSeconds) { try answer(visit) }
                : try catalog.bounded(seconds: seconds) { try catalog.snapshot { try answer(visit) } }
            try catalog.checkUnchanged()
            return response
        } catch {
            return problem(ViewerProblem(error), request)
        }
    }

    /// The answer on a catalog that is open already, to one of many requests on the same state of the file.
    func answer(_ request: ViewerRequest, in catalog: Catalog) -> ViewerResponse {
        do {
            return try catalog.bounded(seconds: seconds) {
                try answer(Visit(site: self, catalog: catalog, stamp: FileStamp(path), request: request))
            }
        } catch {
            return problem(ViewerProblem(error), request)
        }
    }

    private func answer(_ visit: Visit) throws -> ViewerResponse {
        let path = visit.request.path
        let isOfFeatures = path.count > 2 && path[0] == "dictionaries" && path[2] == "features"
        switch path.count {
        case 0: return try visit.show(CatalogPage(visit))
        case 1:
            switch path[0] {
            case "search": return try visit.show(SearchPage(visit))
            case "compare": return try visit.show(ComparePage(visit))
            case "prompt", "steer": return try visit.show(PromptPage(visit))
            case "review":
                guard let reviews else {
                    throw ViewerProblem(
                        404,
                        "features are judged here where the server is started so: "
                            + spelling("routesae serve CATALOG `review`"))
                }
                return try visit.show(ReviewPage(visit, reviews))
            default: break
            }
        case 2 where path[0] == "dictionaries": return try visit.show(DictionaryPage(visit))
        case 2 where path[0] == "runs": return try visit.show(RunPage(visit))
        case 3 where isOfFeatures: return try visit.show(FeatureListPage(visit))
        case 3 where visit.request.isMap: return try visit.show(MapPage(visit))
        case 4 where isOfFeatures: return try visit.show(FeaturePage(visit))
        case 7 where isOfFeatures && path[4] == "contexts": return try visit.show(PassagePage(visit))
        default: break
        }
        throw ViewerProblem(404, "there is no page of this name")
    }

    /// A problem as a page or as data.
    func problem(_ problem: ViewerProblem, _ request: ViewerRequest) -> ViewerResponse {
        var response =
            request.wantsJSON
            ? ViewerResponse.json(.object(["error": .string(problem.message)]), status: problem.status)
            : ViewerResponse.page(
                Shell(name: name, links: nil, hasReviews: reviews != nil).document(
                    title: problem.title, section: .none,
                    """
                    <h1>\(problem.title)</h1><p class="damaged" role="alert">\(problem.message)</p>\
                    <p><a href="\(Address.catalog)">Back to the catalog</a></p>
                    """), status: problem.status)
        response.allowed = problem.allowed
        return response
    }
}

package hydrofhir.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.parser.StrictErrorHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Our own definitions from a folder and the folders below it: files {@code *.ndjson}, one resource a line, and files
 * named {@code StructureDefinition-*.json}, {@code ValueSet-*.json}, {@code CodeSystem-*.json} and so on.
 *
 * <p>They are of the release that is validated. A definition that cannot be read is an error: without it the validator
 * would prove less than it seems to.
 */
final class Definitions extends PrePopulatedValidationSupport {

    private static final Logger LOG = LoggerFactory.getLogger(Definitions.class);

    private static final String NAMES =
            "(StructureDefinition|ValueSet|CodeSystem|ConceptMap|Questionnaire)-.*\\.json|.*\\.ndjson";

    /** HAPI keeps no Questionnaires beside the other definitions. */
    private final Map<String, IBaseResource> questionnaires = new HashMap<>();

    /** @param folder may be null: no definitions of our own. */
    Definitions(FhirContext fhir, Path folder) throws IOException {
        super(fhir);
        if (folder == null) {
            return;
        }
        IParser parser = fhir.newJsonParser().setParserErrorHandler(new StrictErrorHandler());
        for (Path file : files(folder)) {
            boolean lines = file.getFileName().toString().endsWith(".ndjson");
            for (String text : lines ? Files.readAllLines(file) : List.of(Files.readString(file))) {
                if (text.isBlank()) {
                    continue;
                }
                try {
                    add(fhir, parser.parseResource(text));
                } catch (RuntimeException unreadable) {
                    throw new IOException(file + ": not readable as " + fhir.getVersion().getVersion() + ": "
                            + unreadable.getMessage());
                }
            }
        }
        LOG.info("{} definitions from {}", countAll(), folder);
    }

    private void add(FhirContext fhir, IBaseResource definition) {
        switch (fhir.getResourceType(definition)) {
            case "StructureDefinition" -> addStructureDefinition(definition);
            case "ValueSet" -> addValueSet(definition);
            case "CodeSystem" -> addCodeSystem(definition);
            case "Questionnaire" -> questionnaires.put(
                    fhir.newTerser().getSinglePrimitiveValueOrNull(definition, "url"), definition);
            default -> LOG.debug("{}: of no use to a validator", definition.getIdElement());
        }
    }

    /** The type may be null: then anything of this address is meant. */
    @Override
    @SuppressWarnings("unchecked")
    public <T extends IBaseResource> T fetchResource(Class<T> type, String uri) {
        IBaseResource found = uri == null ? null : questionnaires.get(uri);
        if (found != null && (type == null || type.isInstance(found))) {
            return (T) found;
        }
        return super.fetchResource(type, uri);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> found = Files.walk(folder)) {
            return found.filter(Files::isRegularFile)
                    .filter(file -> file.getFileName().toString().matches(NAMES))
                    .sorted()
                    .toList();
        }
    }
}

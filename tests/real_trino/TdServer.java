import io.airlift.slice.Slice;
import io.airlift.slice.Slices;
import io.trino.server.testing.TestingTrinoServer;
import io.trino.spi.Plugin;
import io.trino.spi.function.LiteralParameters;
import io.trino.spi.function.ScalarFunction;
import io.trino.spi.function.SqlNullable;
import io.trino.spi.function.SqlType;
import java.io.PrintStream;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Starts a Trino of one node with TD's functions, on a port that the system picks, and ends with its parent.
 *
 * <p>Trino's own tests use this server: all of the coordinator and a worker, behind the same HTTP interface and
 * with the same limits as a cluster. No archive of Trino is needed for it, only its jars.
 */
public final class TdServer {
    private static final Pattern TIME = Pattern.compile(
            "(\\d{4}-\\d\\d-\\d\\d)(?:[T ](\\d\\d:\\d\\d:\\d\\d)(?:\\.\\d+)?(Z|[+-]\\d\\d:?\\d\\d)?)?");
    private static final Map<String, String> FORMATS = Map.of("s!", "yyyy-MM-dd HH:mm:ss", "m!", "yyyy-MM-dd HH:mm");

    private TdServer() {}

    /**
     * Arguments: the connector's name, its plugin's class, then catalogs, each as name,property=value,...
     * server.py knows what a version takes.
     */
    public static void main(String[] arguments) {
        try {
            serve(arguments);
        }
        catch (Throwable failure) {
            failure.printStackTrace(); // the server's own threads would keep the process alive
            Runtime.getRuntime().halt(1);
        }
    }

    private static void serve(String[] arguments) throws Exception {
        // The server's logging takes System.out over; the parent reads one line there, and no log.
        PrintStream parent = System.out;
        System.setOut(System.err);
        TestingTrinoServer server = TestingTrinoServer.builder()
                // 350's default; later versions' is 150. All else is as each version has it.
                .setProperties(Map.of("query.max-stage-count", "100"))
                .build();
        server.installPlugin((Plugin) Class.forName(arguments[1]).getConstructor().newInstance());
        server.installPlugin(new TdPlugin());
        for (int index = 2; index < arguments.length; index++) {
            String[] parts = arguments[index].split(",");
            Map<String, String> properties = new HashMap<>();
            for (int part = 1; part < parts.length; part++) {
                String[] property = parts[part].split("=", 2);
                properties.put(property[0], property[1]);
            }
            server.createCatalog(parts[0], arguments[0], properties);
        }
        parent.println("READY " + server.getBaseUrl());
        parent.flush();
        // The parent keeps stdin open as long as it lives, however it ends.
        while (System.in.read() >= 0) {}
        Runtime.getRuntime().halt(0); // nothing that is kept here is worth a shutdown
    }

    /** Makes TD's functions known to Trino. */
    public static final class TdPlugin implements Plugin {
        @Override
        public Set<Class<?>> getFunctions() {
            return Set.of(TdFunctions.class);
        }
    }

    /** The two of TD's functions that the rendered queries use, as the mock TD's databases.py says them. */
    public static final class TdFunctions {
        private TdFunctions() {}

        @ScalarFunction("td_time_parse")
        @SqlNullable
        @LiteralParameters("x")
        @SqlType("bigint")
        public static Long parse(@SqlType("varchar(x)") Slice text) {
            Matcher time = TIME.matcher(text.toStringUtf8());
            if (!time.matches()) {
                return null;
            }
            try {
                LocalTime ofDay = time.group(2) == null ? LocalTime.MIDNIGHT : LocalTime.parse(time.group(2));
                ZoneOffset offset = time.group(3) == null ? ZoneOffset.UTC : ZoneOffset.of(time.group(3));
                return LocalDateTime.of(LocalDate.parse(time.group(1)), ofDay).toEpochSecond(offset);
            }
            catch (DateTimeException noSuchTime) {
                return null;
            }
        }

        @ScalarFunction("td_time_string")
        @LiteralParameters("x")
        @SqlType("varchar")
        public static Slice string(@SqlType("bigint") long seconds, @SqlType("varchar(x)") Slice form) {
            String format = FORMATS.get(form.toStringUtf8());
            if (format == null) {
                throw new IllegalArgumentException("TD_TIME_STRING's formats s! and m! only are known here");
            }
            return Slices.utf8Slice(
                    DateTimeFormatter.ofPattern(format).format(Instant.ofEpochSecond(seconds).atOffset(ZoneOffset.UTC)));
        }
    }
}
